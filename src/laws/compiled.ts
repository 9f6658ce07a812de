/** The law on compilation: what is traced into a graph must be what TensorFlow.js computes step by step. */
import { compile } from '../compile/compile.ts';
import { eager } from '../compile/eager.ts';
import type { HostArray, Prepare } from '../compile/types.ts';
import { messageOf } from '../core/errors.ts';
import { fittedItems, prepareAttack } from '../evaluate/engine.ts';
import { NoiseBuffers } from '../evaluate/noise.ts';
import { rehearse } from '../evaluate/rehearse.ts';
import { tf } from '../tf.ts';
import { fittedOnStage, repeatedRows } from './fitting.ts';
import { BrokenLaw, type Law, requires, type Subject } from './law.ts';
import { CLASSES, IDS, imageOf, imagesOf, paramsOf, RADII, smooth } from './stage.ts';

const STEPS = 4;
const TOLERANCE = 1e-5;
/** A sign at a gradient of nearly zero may fall either way. */
const SHARE = 0.05;

export const COMPILED: Law = {
  name: 'compiles, and is then what it is step by step',
  check: async (subject) => {
    for (const targeted of [false, true]) {
      const [ours, theirs] = [await lastOf(subject, compile, targeted), await lastOf(subject, eager, targeted)];
      const differing = ours.filter((value, i) => !(Math.abs(value - (theirs[i] as number)) <= TOLERANCE)).length;
      requires(
        differing <= SHARE * ours.length,
        () =>
          `${differing} of ${ours.length} pixels differ after ${STEPS} steps; is anything but its arguments looked at?`,
      );
    }
  },
};

/** `x` of all images after a few steps, as the harness runs them. */
async function lastOf({ attack, norm }: Subject, prepare: Prepare, targeted: boolean): Promise<Float32Array> {
  const spec = { attack, params: paramsOf(attack), classifier: smooth, norm, targeted };
  const batch = IDS.length;
  const rehearsal = await rehearse(spec);
  const engine = await prepareAttack(prepare, { ...spec, batch, rehearsal }).catch((error: unknown) => {
    throw new BrokenLaw(`it cannot be compiled: ${messageOf(error).split('\n')[0]}`);
  });
  const label = Int32Array.from(tf.tidy(() => smooth.logits(imagesOf(IDS)).argMax(1).dataSync()));
  const fitted = await fittedOnStage(prepare, { ...spec, batch, rehearsal }, RADII[norm][0]);
  const itemsAt = (iteration: number) => ({
    ...fittedItems(repeatedRows(fitted, batch)),
    clean: Float32Array.from(IDS.flatMap((id) => [...imageOf(id)])),
    label,
    target: targeted ? label.map((index) => (index + 1) % CLASSES) : label,
    epsilon: new Float32Array(batch).fill(RADII[norm][0]),
    iteration: new Float32Array(batch).fill(iteration),
  });
  const noiseAt = (part: 'init' | 'step', step: number): Readonly<Record<string, HostArray>> => {
    const buffers = new NoiseBuffers(rehearsal[part].noise, batch);
    IDS.forEach((image, row) => {
      buffers.fill(row, { seed: 0, image, restart: 0, step });
    });
    return buffers.arrays;
  };
  try {
    let state = await engine.init(itemsAt(0), noiseAt('init', 0));
    for (let step = 0; step < Math.min(STEPS, rehearsal.steps); step++) {
      ({ state } = await engine.step(state, itemsAt(step), noiseAt('step', step + 1)));
    }
    return Float32Array.from(state.x as Float32Array);
  } finally {
    await engine.release();
  }
}

/** The law on compilation: what is traced into a graph must be what TensorFlow.js computes step by step. */
import { compile } from '../compile/compile.ts';
import { eager } from '../compile/eager.ts';
import type { Prepare } from '../compile/types.ts';
import { messageOf } from '../core/errors.ts';

import { tf } from '../tf.ts';
import { BrokenLaw, type Law, requires, type Subject } from './law.ts';
import { CLASSES, IDS, imageOf, imagesOf, paramsOf, RADII, smooth } from './stage.ts';
import { lastIterate } from './states.ts';

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
function lastOf({ attack, norm }: Subject, prepare: Prepare, targeted: boolean): Promise<Float32Array> {
  const label = Int32Array.from(tf.tidy(() => smooth.logits(imagesOf(IDS)).argMax(1).dataSync()));
  return lastIterate(orBroken(prepare), {
    ...{ attack, params: paramsOf(attack), classifier: smooth, norm, epsilon: RADII[norm][0] },
    ...{ label, target: targeted ? label.map((index) => (index + 1) % CLASSES) : label, targeted },
    clean: Float32Array.from(IDS.flatMap((id) => [...imageOf(id)])),
    mostSteps: STEPS,
  });
}

/** What cannot be compiled breaks the law. */
const orBroken =
  (prepare: Prepare): Prepare =>
  (fn, specs, options) =>
    prepare(fn, specs, options).catch((error: unknown) => {
      throw new BrokenLaw(`it cannot be compiled: ${messageOf(error).split('\n')[0]}`);
    });

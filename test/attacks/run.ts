import type { Prepare } from '../../src/compile/types.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import type { NoiseRequest } from '../../src/core/draws.ts';
import { resolveParams } from '../../src/core/params.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { prepareAttack, prepareJudge } from '../../src/evaluate/engine.ts';
import { NoiseBuffers } from '../../src/evaluate/noise.ts';
import { aimsItself, rehearse } from '../../src/evaluate/rehearse.ts';
import { argMax, distance } from '../../src/evaluate/verify.ts';

export interface Trial {
  readonly attack: Attack;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly classifier: Classifier;
  readonly norm: Norm;
  readonly epsilon: number;
  /** B images, H·W·C values each. */
  readonly clean: Float32Array;
  readonly label: Int32Array;
  /** Makes the attack targeted. */
  readonly target?: Int32Array;
  /** Stops after so many steps, however many there would be. */
  readonly mostSteps?: number;
}

/** The last iterate of every image: the real engine, without early stop. */
export const lastIterate = (prepare: Prepare, trial: Trial): Promise<Float32Array> => perform(prepare, trial, () => {});

/**
 * How near every image's nearest candidate is that reached the goal, of those of all steps; infinite where none did. For an
 * attack that chooses its own targets, `target` is one of those, and any wrong class will do.
 */
export async function nearest(prepare: Prepare, trial: Trial): Promise<number[]> {
  const { attack, classifier, clean, label, norm } = trial;
  const target = aimsItself(attack) ? undefined : trial.target;
  const found = Array.from(label, () => Number.POSITIVE_INFINITY);
  const size = clean.length / label.length;
  const look = (x: Float32Array, predicted: Int32Array): void =>
    label.forEach((truth, i) => {
      if (target === undefined ? predicted[i] === truth : predicted[i] !== target[i]) return;
      const [from, to] = [clean, x].map((images) => images.subarray(i * size, (i + 1) * size));
      found[i] = Math.min(found[i] as number, distance(norm, from as Float32Array, to as Float32Array));
    });
  const last = await perform(prepare, trial, look);
  const judge = await prepareJudge(prepare, classifier, label.length);
  try {
    const logits = await judge.logits(last);
    const { classes } = judge;
    look(
      last,
      label.map((_, i) => argMax(logits.subarray(i * classes, (i + 1) * classes))),
    );
  } finally {
    await judge.release();
  }
  return found;
}

/** Shows the candidates that enter each step, with their predicted classes, and returns the last ones. */
async function perform(
  prepare: Prepare,
  trial: Trial,
  show: (entering: Float32Array, predicted: Int32Array) => void,
): Promise<Float32Array> {
  const { attack, classifier, norm, clean, label, target } = trial;
  const batch = label.length;
  const params = resolveParams(attack.name, attack.params, trial.params);
  const spec = { attack, params, classifier, norm, targeted: target !== undefined };
  const rehearsal = await rehearse(spec);
  const engine = await prepareAttack(prepare, { ...spec, batch, rehearsal });
  const itemsAt = (iteration: number) => ({
    clean,
    label,
    target: target ?? label,
    epsilon: new Float32Array(batch).fill(trial.epsilon),
    iteration: new Float32Array(batch).fill(iteration),
  });
  const drawsOf = (requests: readonly NoiseRequest[], step: number) => {
    const buffers = new NoiseBuffers(requests, batch);
    for (let image = 0; image < batch; image++) buffers.fill(image, { seed: 0, image, restart: 0, step });
    return buffers.arrays;
  };
  try {
    let state = await engine.init(itemsAt(0), drawsOf(rehearsal.init.noise, 0));
    for (let step = 0; step < Math.min(rehearsal.steps, trial.mostSteps ?? rehearsal.steps); step++) {
      const stepped = await engine.step(state, itemsAt(step), drawsOf(rehearsal.step.noise, step + 1));
      show(state.x as Float32Array, stepped.predicted);
      state = stepped.state;
    }
    return state.x as Float32Array;
  } finally {
    await engine.release();
  }
}

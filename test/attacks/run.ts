import type { Prepare } from '../../src/compile/types.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import type { NoiseRequest } from '../../src/core/draws.ts';
import { resolveParams } from '../../src/core/params.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { type Arrays, fittedItems, prepareAttack, prepareJudge } from '../../src/evaluate/engine.ts';
import { NoiseBuffers } from '../../src/evaluate/noise.ts';
import { aimsItself, rehearse } from '../../src/evaluate/rehearse.ts';
import { distance } from '../../src/evaluate/verify.ts';
import { fittedOnStage, repeatedRows } from '../../src/laws/fitting.ts';

export interface Trial {
  readonly attack: Attack;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly classifier: Classifier;
  readonly norm: Norm;
  readonly epsilon: number;
  /** B images, H·W·C values each. */
  readonly clean: Float32Array;
  readonly label: Int32Array;
  /** What the attack was fitted with; by default, if it is, on the stage of the laws. */
  readonly fitted?: Arrays;
  /** Makes the attack targeted. */
  readonly target?: Int32Array;
  /** Stops after so many steps, however many there would be. */
  readonly mostSteps?: number;
}

/**
 * How near every image's nearest candidate is that reached the goal, of those of all steps; infinite where none did. For an
 * attack that chooses its own targets, `target` is one of those, and any wrong class will do.
 */
export async function nearest(prepare: Prepare, trial: Trial): Promise<number[]> {
  const { attack, classifier, label, norm } = trial;
  const target = aimsItself(attack) ? undefined : trial.target;
  const found = Array.from(label, () => Number.POSITIVE_INFINITY);
  const isFinished = Array.from(label, () => false);
  const judge = await prepareJudge(prepare, classifier, label.length);
  const size = trial.clean.length / label.length;
  const part = (x: Float32Array, i: number): Float32Array => x.subarray(i * size, (i + 1) * size);
  try {
    for await (const state of states(prepare, trial)) {
      const x = state.x as Float32Array;
      const logits = await judge.logits(x);
      label.forEach((truth, i) => {
        if (isFinished[i] || state.isCandidate?.[i] === 0) return;
        isFinished[i] = state.isFinished?.[i] === 1;
        const z = logits.subarray(i * classifier.classes, (i + 1) * classifier.classes);
        const predicted = z.indexOf(Math.max(...z));
        const reached = target === undefined ? predicted !== truth : predicted === target[i];
        if (reached) found[i] = Math.min(found[i] as number, distance(norm, part(x, i), part(trial.clean, i)));
      });
    }
  } finally {
    await judge.release();
  }
  return found;
}

/** The state of every image before the first step and after each: the real engine, without early stop. */
export async function* states(prepare: Prepare, trial: Trial): AsyncGenerator<Arrays> {
  const { attack, classifier, norm, clean, label, target } = trial;
  const batch = label.length;
  const params = resolveParams(attack.name, attack.params, trial.params);
  const spec = { attack, params, classifier, norm, targeted: target !== undefined && !aimsItself(attack) };
  const rehearsal = await rehearse(spec);
  const engine = await prepareAttack(prepare, { ...spec, batch, rehearsal });
  const fitted = trial.fitted ?? (await fittedOnStage(prepare, { ...spec, batch, rehearsal }, trial.epsilon));
  const itemsAt = (iteration: number) => ({
    ...fittedItems(repeatedRows(fitted, batch)),
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
    yield state;
    for (let step = 0; step < Math.min(rehearsal.steps, trial.mostSteps ?? rehearsal.steps); step++) {
      ({ state } = await engine.step(state, itemsAt(step), drawsOf(rehearsal.step.noise, step + 1)));
      yield state;
    }
  } finally {
    await engine.release();
  }
}

/** The last iterate of every image. */
export async function lastIterate(prepare: Prepare, trial: Trial): Promise<Float32Array> {
  let last: Float32Array | undefined;
  for await (const { x } of states(prepare, trial)) last = x as Float32Array;
  return last as Float32Array;
}

/** All of `states` at once. */
export async function iterates(prepare: Prepare, trial: Trial): Promise<Arrays[]> {
  const all: Arrays[] = [];
  for await (const state of states(prepare, trial)) all.push(state);
  return all;
}

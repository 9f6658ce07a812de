import type { Prepare } from '../../src/compile/types.ts';
import { aimsItself } from '../../src/core/attack.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { type Arrays, prepareJudge } from '../../src/evaluate/pool/engine.ts';
import { distance } from '../../src/evaluate/pool/verify.ts';
import { states, type Trial } from '../../src/laws/states.ts';

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
        if (reached) found[i] = Math.min(found[i] as number, distance(norm as Norm, part(x, i), part(trial.clean, i)));
      });
    }
  } finally {
    await judge.release();
  }
  return found;
}

/** All of `states` at once. */
export async function iterates(prepare: Prepare, trial: Trial): Promise<Arrays[]> {
  const all: Arrays[] = [];
  for await (const state of states(prepare, trial)) all.push(state);
  return all;
}

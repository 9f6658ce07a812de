/** What the network makes of a saved image and of its picture: computed when they are saved, and again when checked. */
import type { Rounding } from '../../core/saved.ts';
import type { Goal, Norm } from '../../core/threat-model.ts';
import type { Judge } from '../engine.ts';
import { argMax, judgeAll, logitsReach, type Refusal, refusal } from '../verify.ts';
import { ROUND } from './rounding.ts';

export interface SavedPair {
  readonly adversarial: Float32Array;
  readonly clean: Float32Array;
  readonly label: number;
}

export interface Judged {
  /** -1 where logits are no numbers. */
  readonly prediction: number;
  readonly refused: Refusal | undefined;
  /** Reaches the goal, inside ball and box. */
  readonly fooled: boolean;
}

export interface JudgedPair {
  readonly image: Judged;
  readonly picture: Judged;
  /** The picture's pixels. */
  readonly rounded: Float32Array;
}

export interface JudgedIn {
  readonly judge: Judge;
  readonly norm: Norm;
  readonly epsilon: number;
  readonly goal: Goal;
  readonly rounding: Rounding;
}

/** Judges a few images at once. */
export async function judgePairs(pairs: readonly SavedPair[], spec: JudgedIn): Promise<JudgedPair[]> {
  const pictures = pairs.map(({ adversarial, clean }) => ROUND[spec.rounding](adversarial, clean));
  const logits = await judgeAll(spec.judge, [...pairs.map(({ adversarial }) => adversarial), ...pictures]);
  return pairs.map((pair, i): JudgedPair => {
    const rounded = pictures[i] as Float32Array;
    return {
      image: judged(pair.adversarial, pair, logits[i] as Float32Array, spec),
      picture: judged(rounded, pair, logits[pairs.length + i] as Float32Array, spec),
      rounded,
    };
  });
}

function judged(
  x: Float32Array,
  { clean, label }: SavedPair,
  logits: Float32Array,
  { norm, epsilon, goal }: JudgedIn,
): Judged {
  const refused = refusal(x, clean, norm, epsilon);
  return {
    prediction: logits.some(Number.isNaN) ? -1 : argMax(logits),
    refused,
    fooled: refused === undefined && logitsReach(goal, label, logits),
  };
}

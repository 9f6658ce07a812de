/** What the network makes of a saved image and of its picture: computed when they are saved, and again when checked. */
import type { ImageShape } from '../../core/classifier.ts';
import type { Pose } from '../../core/pose.ts';
import type { Rounding } from '../../core/saved.ts';
import type { Goal, Threat } from '../../core/threat-model.ts';
import type { Judge } from '../pool/engine.ts';
import { argMax, judgeAll, logitsReach, type Refusal, refusal } from '../pool/verify.ts';
import { ROUND } from './rounding.ts';

export interface SavedPair {
  readonly adversarial: Float32Array;
  readonly pose?: Pose;
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
  readonly norm: Threat;
  readonly epsilon: number;
  readonly input: ImageShape;
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
      image: judged(pair.adversarial, 0, pair, logits[i] as Float32Array, spec),
      picture: judged(rounded, LEVEL, pair, logits[pairs.length + i] as Float32Array, spec),
      rounded,
    };
  });
}

/** By how much at most a pixel of a moved image is rounded for its picture. */
const LEVEL = 1 / 255;

function judged(
  x: Float32Array,
  rounding: number,
  { clean, label, pose }: SavedPair,
  logits: Float32Array,
  { goal, ...allowed }: JudgedIn,
): Judged {
  const refused = refusal({ x, ...(pose && { pose }) }, clean, allowed, rounding);
  return {
    prediction: logits.some(Number.isNaN) ? -1 : argMax(logits),
    refused,
    fooled: refused === undefined && logitsReach(goal, label, logits),
  };
}

/**
 * The separate check of every adversarial candidate, on the attack's finished output: numbers that count as adversarial
 * come from here, never from the attack's own word.
 */
import type { ImageShape } from '../../core/classifier.ts';
import type { Pose } from '../../core/pose.ts';
import type { Goal, Norm, Threat } from '../../core/threat-model.ts';
import type { Judge } from './engine.ts';
import { moved } from './moved.ts';

/** Why a candidate is no image that the adversary was allowed to make. */
export type Refusal = 'not finite' | 'outside the box' | 'outside the ball' | 'not in its pose';

/** An image that an attack has made. */
export interface Made {
  /** H·W·C values. */
  readonly x: Float32Array;
  /** Where the threat is `spatial`: how the clean image was moved, by the attack's own word. */
  readonly pose?: Pose;
}

/** What an attack may make of a clean image. */
export interface Allowed {
  readonly norm: Threat;
  readonly epsilon: number;
  readonly input: ImageShape;
}

/** How far float32 arithmetic may carry a point out of the ball, relative to the larger of the radius and a pixel's range. */
export const TOLERANCE = 1e-6;

/**
 * By how much a pixel of a moved image may differ from the same in float64: a quarter of a level of 8 bits, which a
 * coordinate's float32 error in the steepest edge of a large image does not reach.
 */
const MOVED_TOLERANCE = 0.25 / 255;

/**
 * What is wrong with a candidate, if anything: a value that is no number, a pixel outside [0,1], or a distance from the
 * clean image above `epsilon`, in float64; where the threat is `spatial`, a pose beyond the most, or pixels that are not the
 * clean image's in that pose.
 *
 * @param rounding - by how much pixels were rounded after the attack
 */
export function refusal(
  { x, pose }: Made,
  clean: Float32Array,
  { norm, epsilon, input }: Allowed,
  rounding = 0,
): Refusal | undefined {
  if (!x.every(Number.isFinite)) return 'not finite';
  if (!x.every((value) => value >= 0 && value <= 1)) return 'outside the box';
  if (norm === 'spatial') {
    const isAllowed = pose?.every((times) => Math.abs(times) <= epsilon + TOLERANCE * Math.max(1, epsilon)) === true;
    const expected = isAllowed ? moved(clean, input, pose) : undefined;
    const isThere = expected?.every((value, i) => Math.abs(value - (x[i] as number)) <= MOVED_TOLERANCE + rounding);
    return isThere === true ? undefined : 'not in its pose';
  }
  return distance(norm, x, clean) > epsilon + TOLERANCE * Math.max(1, epsilon) ? 'outside the ball' : undefined;
}

/** ‖a - b‖ in float64. */
export function distance(norm: Norm, a: Float32Array, b: Float32Array): number {
  const differences = Float64Array.from(a, (value, i) => Math.abs(value - (b[i] as number)));
  if (norm === 'Linf') return differences.reduce((largest, d) => Math.max(largest, d), 0);
  if (norm === 'L2') return Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0));
  return differences.reduce((sum, d) => sum + d, 0);
}

/**
 * The image as an 8-bit file would keep it, each pixel on its nearest level. Up to half a level (1/510) a pixel, and so by as
 * much out of an L∞ ball: "robust after rounding to 8 bits" asks what the network makes of it and leaves the ball aside, for it
 * is about files, not about what the adversary was allowed. Saved pictures are held against the ball too (`saved/judged.ts`).
 */
export const roundTo8Bits = (image: Float32Array): Float32Array => image.map((value) => Math.round(value * 255) / 255);

/** The first of the largest entries. */
export function argMax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/** Whether a prediction is what the adversary wants: any class but the label, or the target. */
export const reaches = (goal: Goal, label: number, predicted: number): boolean =>
  goal.kind === 'targeted' ? predicted === goal.target : predicted !== label;

/** The same from logits; logits that are no numbers reach nothing. */
export const logitsReach = (goal: Goal, label: number, logits: Float32Array): boolean =>
  !logits.some(Number.isNaN) && reaches(goal, label, argMax(logits));

/** The logits of every image, in batches of the judge; the last one is padded. */
export async function judgeAll(judge: Judge, images: readonly Float32Array[]): Promise<Float32Array[]> {
  const [first] = images;
  if (first === undefined) return [];
  const size = first.length;
  const results: Float32Array[] = [];
  const batch = new Float32Array(judge.batch * size);
  for (let start = 0; start < images.length; start += judge.batch) {
    const part = images.slice(start, start + judge.batch);
    part.forEach((image, row) => {
      batch.set(image, row * size);
    });
    const logits = await judge.logits(batch);
    part.forEach((_, row) => {
      results.push(logits.slice(row * judge.classes, (row + 1) * judge.classes));
    });
  }
  return results;
}

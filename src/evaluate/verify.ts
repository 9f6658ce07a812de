/**
 * The separate check of every adversarial candidate, on the attack's finished output: numbers that count as adversarial
 * come from here, never from the attack's own word.
 */
import type { Goal, Norm } from '../core/threat-model.ts';
import type { Judge } from './engine.ts';

/** Why a candidate is no image that the adversary was allowed to make. */
export type Refusal = 'not finite' | 'outside the box' | 'outside the ball';

/** How far float32 arithmetic may carry a point out of the ball, relative to the larger of the radius and a pixel's range. */
export const TOLERANCE = 1e-6;

/**
 * What is wrong with a candidate, if anything: a value that is no number, a pixel outside [0,1], or a distance from the
 * clean image above `epsilon`, in float64.
 */
export function refusal(
  candidate: Float32Array,
  clean: Float32Array,
  norm: Norm,
  epsilon: number,
): Refusal | undefined {
  if (!candidate.every(Number.isFinite)) return 'not finite';
  if (!candidate.every((value) => value >= 0 && value <= 1)) return 'outside the box';
  return distance(norm, candidate, clean) > epsilon + TOLERANCE * Math.max(1, epsilon) ? 'outside the ball' : undefined;
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

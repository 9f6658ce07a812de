/** How the distances that an attack of minimum norm found are spread over the images. */
import type { Distances } from '../core/run.ts';

export interface Spread {
  readonly images: number;
  /** How many have an adversarial image, or are misclassified as they are. */
  readonly found: number;
  /** A quarter of the images is no farther; null where none was found for three quarters of them or more. */
  readonly lower: number | null;
  readonly median: number | null;
  /** Three quarters of the images are no farther; null where none was found for a quarter of them or more. */
  readonly upper: number | null;
}

/** The median is the run's own; quartiles lie between two images as it does (Hyndman and Fan 1996, definition 7). */
export function spreadOf({ median, values }: Distances): Spread {
  const sorted = ascending(values);
  return {
    images: values.length,
    found: values.filter((value) => value !== null).length,
    ...{ lower: quantile(sorted, 0.25), median, upper: quantile(sorted, 0.75) },
  };
}

/** Those that were not found are farther than all others. */
const ascending = (values: Distances['values']): readonly number[] =>
  values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);

function quantile(sorted: readonly number[], share: number): number | null {
  const at = share * (sorted.length - 1);
  const [low = 0, high = 0] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  // Halfway to infinity is infinity; but nothing is no part of the way.
  const value = low === high ? low : low + (high - low) * (at - Math.floor(at));
  return Number.isFinite(value) ? value : null;
}

/** A share of images, from a radius on: it holds until the next step. */
export interface Step {
  readonly radius: number;
  readonly share: number;
}

/**
 * The share of images that are farther than r from an adversarial one, against r: what accuracy is left at every radius. It
 * falls by steps, of which those closer together than a `resolution`-th of the largest radius are one.
 *
 * @param largest - where the curve ends, above 0
 */
export function survival({ values }: Pick<Distances, 'values'>, largest: number, resolution: number): readonly Step[] {
  const sorted = ascending(values);
  const steps: Step[] = [];
  let fallen = 0;
  for (let column = 0; column <= resolution; column++) {
    // The last column is the largest radius itself, which arithmetic may miss by a hair: no image of that distance is left.
    const radius = column === resolution ? largest : (largest * column) / resolution;
    while (fallen < sorted.length && (sorted[fallen] ?? 0) <= radius) fallen++;
    const share = 1 - fallen / sorted.length;
    if (share !== steps.at(-1)?.share) steps.push({ radius, share });
  }
  return steps;
}

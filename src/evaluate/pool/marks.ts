/** At which steps of an attack one looks, to draw what it did against the steps. */

/** Intervals between them at most: no chart shows more. */
const MOST = 100;

/**
 * Numbers of steps taken, from 0 to all: each of them where they are few, else ever farther apart, as squares are, since most
 * happens in the beginning.
 */
export function marksOf(steps: number): readonly number[] {
  if (steps <= MOST) return Array.from({ length: steps + 1 }, (_, i) => i);
  return [...new Set(Array.from({ length: MOST + 1 }, (_, i) => Math.round(steps * (i / MOST) ** 2)))];
}

/** The place of the first mark that is not before a step. */
export function markAt(marks: readonly number[], step: number): number {
  let [low, high] = [0, marks.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as number) >= step) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The horizontal axis of radii, shared by all panels of a figure. */

export interface EpsilonScale {
  /** Pixels from the axis' left end, where radius 0 stands. */
  readonly at: (epsilon: number) => number;
  /** On a logarithmic axis, where the break between 0 and the smallest radius lies. */
  readonly breakAt: number | undefined;
}

/** Room for radius 0 to the left of a logarithmic axis, in pixels. */
const ZERO_ROOM = 34;
/** From this ratio of the largest to the smallest radius on, the axis is logarithmic. */
const LOG_FROM = 8;

/** @param grid - the radii, ascending */
export function epsilonScale(grid: readonly number[], width: number): EpsilonScale {
  const positive = grid.filter((epsilon) => epsilon > 0);
  const smallest = positive[0] ?? 1;
  const largest = positive.at(-1) ?? 1;
  if (largest / smallest < LOG_FROM) return { at: (epsilon) => (epsilon / largest) * width, breakAt: undefined };
  const perUnit = (width - ZERO_ROOM) / Math.log(largest / smallest);
  return {
    at: (epsilon) => (epsilon > 0 ? ZERO_ROOM + perUnit * Math.log(epsilon / smallest) : 0),
    breakAt: ZERO_ROOM / 2,
  };
}

/**
 * The radii to label so that no two labels touch: first those that matter (0, the marked one, the ends), then the rest.
 *
 * @param widthOf - a label's width in pixels
 */
export function labelledRadii(
  grid: readonly number[],
  marked: number,
  { at }: EpsilonScale,
  widthOf: (epsilon: number) => number,
): readonly number[] {
  const wanted = [0, marked, ...grid.slice(-1), ...grid];
  const chosen: number[] = [];
  for (const epsilon of wanted) {
    const free = chosen.every(
      (other) => Math.abs(at(other) - at(epsilon)) >= (widthOf(other) + widthOf(epsilon)) / 2 + 4,
    );
    if (free) chosen.push(epsilon);
  }
  return chosen.sort((a, b) => a - b);
}

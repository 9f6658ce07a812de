import type { Run, WorstCase } from '../../core/run.ts';
import type { Named } from './source.ts';

/**
 * For each network and radius the lowest worst case of any run: over all runs together it is an upper bound, for which image
 * withstood what stands in none of them. `attacks` says over which attacks it was counted. Worst cases name no goal, so there
 * are none in a norm that was measured with several.
 */
export function lowestWorstCases(sources: readonly Named[]): readonly WorstCase[] {
  const cells = sources.flatMap(({ run }) => run.cells);
  const goalsIn = (norm: string): number =>
    new Set(cells.filter((cell) => cell.norm === norm).map(({ goal }) => JSON.stringify(goal))).size;
  const lowest = new Map<string, WorstCase>();
  for (const worst of sources.flatMap(({ run }: { run: Run }) => run.worstCases ?? [])) {
    if (goalsIn(worst.norm) > 1) continue;
    const { arch, training, norm, epsilon } = worst;
    const box = JSON.stringify([arch, training, norm, Math.round(epsilon * 1e9)]);
    const known = lowest.get(box);
    if (known === undefined || isLower(worst, known)) lowest.set(box, worst);
  }
  return [...lowest.values()];
}

/** Of two that are as low, that over more attacks says more. */
const isLower = (one: WorstCase, other: WorstCase): boolean =>
  one.robustCorrect < other.robustCorrect ||
  (one.robustCorrect === other.robustCorrect && one.attacks.length > other.attacks.length);

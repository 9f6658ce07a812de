import type { Run } from '../core/run.ts';
import { type Contender, cleanOf, isOf, type Measured, robustOf, type Slice, sameRadius } from './slice.ts';

/** A contender at one radius: without attack, under each attack, and under the worst of them. */
export interface Standing {
  readonly contender: Contender;
  readonly clean: Measured;
  /** In the order of the slice's variants; undefined where the box was not measured. */
  readonly attacked: readonly (Measured | undefined)[];
  readonly worst: Measured;
  /** Whether `worst` is counted image by image, or is only the lowest of `attacked`, which it cannot exceed. */
  readonly perImage: boolean;
}

/** Whether a share is lower than another by more than chance: their intervals do not touch. */
export const isBelow = (share: Measured, other: Measured): boolean => share.interval[1] < other.interval[0];

/** Undefined if nothing was measured for this contender at this radius. */
export function standingOf(run: Run, slice: Slice, contender: Contender, epsilon: number): Standing | undefined {
  const here = slice.variants.map((variant) =>
    variant.cells.find((cell) => isOf(contender, cell) && sameRadius(cell.epsilon, epsilon)),
  );
  const measured = here.filter((cell) => cell !== undefined);
  const lowest = measured.toSorted((a, b) => a.robustAccuracy - b.robustAccuracy)[0];
  if (lowest === undefined) return undefined;
  const counted = perImageWorst(run, slice, contender, epsilon);
  return {
    contender,
    clean: cleanOf(lowest),
    attacked: here.map((cell) => cell && robustOf(cell)),
    worst: counted ?? robustOf(lowest),
    perImage: counted !== undefined || measured.length === 1,
  };
}

function perImageWorst(run: Run, slice: Slice, contender: Contender, epsilon: number): Measured | undefined {
  // The run's worst cases name no dataset and no goal, so they speak only where the norm's cells all share one.
  if (run.cells.filter((cell) => cell.norm === slice.norm).length !== slice.cells.length) return undefined;
  const found = run.worstCases?.find(
    (worst) => isOf(contender, worst) && worst.norm === slice.norm && sameRadius(worst.epsilon, epsilon),
  );
  if (found === undefined) return undefined;
  return {
    images: found.images,
    share: found.robustAccuracy,
    interval: found.wilson95,
  };
}

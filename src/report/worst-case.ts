import type { Cell, Run, WorstCase } from '../core/run.ts';
import { type Contender, cleanOf, isOf, type Measured, robustOf, type Slice, sameRadius } from './slice.ts';

/** A contender at one radius: without attack, under each attack, and under the worst of them. */
export interface Standing {
  readonly contender: Contender;
  readonly clean: Measured;
  /** In the order of the slice's variants; undefined where the box was not measured. */
  readonly attacked: readonly (Measured | undefined)[];
  readonly worst: Measured;
  /** Whether `worst` is counted image by image over all of `attacked`, or is only the lowest known, which that cannot exceed. */
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
  const together = takenTogether(run, slice, contender, epsilon);
  const ofAll = together !== undefined && isOfAll(together, measured);
  return {
    contender,
    clean: cleanOf(lowest),
    attacked: here.map((cell) => cell && robustOf(cell)),
    worst:
      together !== undefined && (ofAll || together.robustAccuracy < lowest.robustAccuracy)
        ? robustOf(together)
        : robustOf(lowest),
    perImage: ofAll || measured.length === 1,
  };
}

/** Whether it was counted over every one of these cells. In a joined run there may be more: no attack is twice in one run. */
const isOfAll = ({ attacks }: WorstCase, cells: readonly Cell[]): boolean =>
  cells.length <= attacks.length && cells.every(({ attack }) => attacks.includes(attack));

function takenTogether(run: Run, slice: Slice, contender: Contender, epsilon: number): WorstCase | undefined {
  // The run's worst cases name no dataset and no goal, so they speak only where the norm's cells all share one.
  if (run.cells.filter((cell) => cell.norm === slice.norm).length !== slice.cells.length) return undefined;
  return run.worstCases?.find(
    (worst) => isOf(contender, worst) && worst.norm === slice.norm && sameRadius(worst.epsilon, epsilon),
  );
}

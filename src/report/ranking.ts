import type { Run } from '../core/run.ts';
import type { Contender, Slice } from './slice.ts';
import { type Standing, standingOf } from './worst-case.ts';

/** An architecture with its standings, in the order of the slice's trainings. */
export interface Ranked {
  readonly arch: string;
  /** Undefined where this training of it was not measured. */
  readonly standings: readonly (Standing | undefined)[];
}

/** The architectures by their worst case under the last training, the one meant to be robust; the best first. */
export function rankArchitectures(run: Run, slice: Slice, epsilon: number): readonly Ranked[] {
  const architectures = [...new Set(slice.contenders.map((contender) => contender.arch))];
  const rank = ({ standings }: Ranked): number => standings.at(-1)?.worst.share ?? -1;
  return architectures
    .map((arch) => ({
      arch,
      standings: slice.trainings.map((training) => standingOf(run, slice, { arch, training }, epsilon)),
    }))
    .toSorted((a, b) => rank(b) - rank(a));
}

/** All contenders in that order, also those that were not measured at this radius. */
export const rankContenders = (run: Run, slice: Slice, epsilon: number): readonly Contender[] =>
  rankArchitectures(run, slice, epsilon).flatMap(({ arch }) =>
    slice.contenders.filter((contender) => contender.arch === arch),
  );

/** How fast a contender was, from the times that its work took anyway, in whichever attempt of the run it was done. */
import type { Performance } from '../core/run.ts';
import type { Measured } from './cells.ts';
import type { CleanRecord } from './clean.ts';

/**
 * @param attacks - those without gradients say nothing of them, and are left out
 * @param peakMemory - in bytes; undefined if this attempt had nothing left to measure
 */
export function performanceOf(
  clean: CleanRecord,
  attacks: readonly Pick<Measured, 'tally'>[],
  peakMemory: number | undefined,
): Performance {
  const { contender, labels, seconds } = clean;
  const tallies = attacks.map(({ tally }) => tally).filter((tally) => tally.gradients > 0);
  const rates = {
    forwardPerSecond: perSecond(labels.length, seconds),
    gradientsPerSecond: perSecond(
      tallies.reduce((sum, tally) => sum + tally.gradients, 0),
      tallies.reduce((sum, tally) => sum + tally.seconds, 0),
    ),
    peakMemory,
  };
  return { contender, ...Object.fromEntries(Object.entries(rates).filter(([, value]) => value !== undefined)) };
}

const perSecond = (count: number, seconds: number): number | undefined =>
  count > 0 && seconds > 0 ? count / seconds : undefined;

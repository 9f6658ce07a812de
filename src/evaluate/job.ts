import type { Fits } from './fit/fits.ts';
import type { Selection } from './images.ts';
import type { Journal } from './journal/journal.ts';
import type { Contender, ExperimentPlan, Harness, PlannedAttack } from './plan.ts';
import type { Judge } from './pool/engine.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What every part of a run works with. */
export interface Job {
  readonly plan: ExperimentPlan;
  readonly harness: Harness;
  readonly journal: Journal;
  readonly selection: Selection;
  readonly stopwatch: Stopwatch;
  readonly fits: Fits;
}

/** Of one attack against one contender. */
export interface MeasureSpec extends Job {
  readonly planned: PlannedAttack;
  readonly contender: Contender;
  readonly judge: Judge;
  /** The label of every image that was measured clean, by index. */
  readonly labels: readonly number[];
  /** Which of them are attacked, by index, ascending. */
  readonly attacked: readonly number[];
}

import type { Fits } from './fit/fits.ts';
import type { Selection } from './images.ts';
import type { Journal } from './journal/journal.ts';
import type { ExperimentPlan, Harness } from './plan.ts';
import type { Stopwatch } from './provenance.ts';

/** What every part of a run works with. */
export interface Job {
  readonly plan: ExperimentPlan;
  readonly harness: Harness;
  readonly journal: Journal;
  readonly selection: Selection;
  readonly stopwatch: Stopwatch;
  readonly fits: Fits;
}

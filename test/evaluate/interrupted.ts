/** Runs that are interrupted again and again, and go on from what their journal remembers. */
import { expect } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { forgetfulJournal, type Journal } from '../../src/evaluate/journal/journal.ts';
import type { JournalRecord } from '../../src/evaluate/journal/record.ts';
import { type ExperimentPlan, Interrupted } from '../../src/evaluate/plan.ts';
import { harness } from './fixtures.ts';

/** A journal that holds the records and adds to them what it is told, as JSON does. */
export const remembering = (records: JournalRecord[], onRecord: () => void = () => undefined): Journal => ({
  ...forgetfulJournal('gibbon experiment'),
  records: [...records],
  append: async (record) => {
    records.push(JSON.parse(JSON.stringify(record)) as JournalRecord);
    onRecord();
  },
});

/** Runs until there are `limit` more records, then is interrupted: undefined, unless it came to its end. */
async function attempt(plan: ExperimentPlan, records: JournalRecord[], limit: number): Promise<Run | undefined> {
  const controller = new AbortController();
  const wanted = records.length + limit;
  const journal = remembering(records, () => {
    if (records.length === wanted) controller.abort();
  });
  return runExperiment(plan, harness({ journal, signal: controller.signal })).catch((error: unknown) => {
    expect(error).toBeInstanceOf(Interrupted);
    return undefined;
  });
}

/**
 * Runs until the end, interrupted after every `limit` records, and how often it was begun.
 *
 * @param planOf - the plan of an attempt, from 0
 * @param most - attempts
 */
export async function untilItEnds(
  planOf: (attempt: number) => ExperimentPlan,
  { records, limit, most = 200 }: { readonly records: JournalRecord[]; readonly limit: number; readonly most?: number },
): Promise<{ readonly run: Run | undefined; readonly attempts: number }> {
  let run: Run | undefined;
  let attempts = 0;
  for (; run === undefined && attempts < most; attempts++) run = await attempt(planOf(attempts), records, limit);
  return { run, attempts };
}

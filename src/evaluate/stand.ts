/** All attacks on one contender: how it stands against them. */
import { UserError } from '../core/errors.ts';
import type { GalleryItem, Performance } from '../core/run.ts';
import type { SavedImages } from '../core/saved.ts';
import type { Standing } from './cells.ts';
import { type CleanRecord, cleanPass } from './clean.ts';
import type { Job } from './job.ts';
import { type MeasuredNow, measure } from './measure.ts';
import { watchMemory } from './peak-memory.ts';
import { performanceOf } from './performance.ts';
import { type Contender, contenderName, type ExperimentPlan } from './plan.ts';
import { type Judge, prepareJudge } from './pool/engine.ts';
import { className } from './provenance.ts';
import { probed } from './sanity/probed.ts';
import type { Findings } from './sanity/probes.ts';
import type { Known } from './transfer/transfer-matrix.ts';

/** How a contender stood, and what was found on the way. */
export interface Stood {
  readonly standing: Standing;
  readonly items: readonly GalleryItem[];
  readonly saved: readonly SavedImages[];
  readonly clean: CleanRecord;
  readonly findings: Findings;
  readonly known: Known;
  readonly speed: Performance;
}

/** @throws Interrupted if the run is aborted; the journal then holds what was finished */
export async function stand(job: Job, contender: Contender): Promise<Stood> {
  const { plan, harness, stopwatch } = job;
  const judge = await stopwatch.time('prepare', () => prepareJudge(harness.prepare, contender.classifier, plan.batch));
  const memory = watchMemory();
  try {
    const clean = await classifyClean(job, contender, judge);
    const { labels, predicted } = clean;
    const counted = countedOf(plan, labels);
    const attacked = counted.filter((i) => labels[i] === predicted[i]);
    const attacks: MeasuredNow[] = [];
    const items: GalleryItem[] = [];
    const saved: SavedImages[] = [];
    for (const planned of plan.attacks) {
      const measured = await measure({ ...job, planned, contender, judge, attacked, labels });
      attacks.push(measured);
      items.push(...measured.gallery);
      saved.push(...measured.saved);
    }
    const findings = await probed({ ...job, contender, judge, attacked, labels, attacks });
    const hasRun = attacks.some((measured) => measured.hasRun);
    return {
      standing: {
        contender,
        cleanCorrect: attacked.length,
        images: counted.length,
        counted,
        attacked,
        labels,
        attacks,
      },
      known: { contender, labels, attacked },
      ...{ items, saved, clean, findings, speed: performanceOf(clean, attacks, hasRun ? memory.stop() : undefined) },
    };
  } finally {
    memory.stop();
    await judge.release();
  }
}

/**
 * The images that count, by index: all but those of the target class, which nobody can turn into what they are.
 *
 * @throws UserError if none is left
 */
function countedOf({ goal, dataset }: ExperimentPlan, labels: readonly number[]): number[] {
  const counted = [...labels.keys()].filter((i) => goal.kind === 'untargeted' || labels[i] !== goal.target);
  if (counted.length > 0 || goal.kind === 'untargeted') return counted;
  throw new UserError(
    `every image is of class ${className(dataset, goal.target)}, the target: none can be turned into it. ` +
      'Choose another target, or more images',
  );
}

async function classifyClean(job: Job, contender: Contender, judge: Judge): Promise<CleanRecord> {
  const { plan, harness, journal, selection, stopwatch } = job;
  const name = contenderName(contender);
  const known = journal.records.find(
    (record): record is CleanRecord => record.kind === 'clean' && record.contender === name,
  );
  const record =
    known ??
    (await cleanPass(contender, judge, selection, {
      labels: plan.dataset.labels ?? 'true',
      signal: harness.signal,
      onBatch: (done, correct) =>
        harness.onProgress?.({
          ...{ phase: 'clean', contender: name, done, total: selection.size },
          accuracy: correct / done,
        }),
    }));
  if (known === undefined) await journal.append(record);
  stopwatch.add('clean', record.seconds);
  return record;
}

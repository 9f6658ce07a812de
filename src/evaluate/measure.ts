/**
 * One attack against one contender, at all radii, stage by stage where it is an ensemble: what is in the journal is taken
 * from there, the rest is run.
 */
import type { GalleryItem } from '../core/run.ts';
import type { SavedImages } from '../core/saved.ts';
import type { Measured } from './cells.ts';
import { Course } from './course.ts';
import { drawGallery, galleryRadius, Showcase } from './gallery.ts';
import type { MeasureSpec } from './job.ts';
import type { JournalRecord } from './journal/record.ts';
import { contenderName, stagesOf } from './plan.ts';
import { type Archive, openArchive } from './saved/archive.ts';
import { runStage, type StageResult } from './stage.ts';
import { Tally } from './tally.ts';

type Gallery = readonly GalleryItem[];

export interface MeasuredNow extends Measured {
  readonly gallery: Gallery;
  /** Where its images lie, if they were to be saved. */
  readonly saved: readonly SavedImages[];
  /** Whether anything was left to do: not, if earlier attempts of the run had done it all. */
  readonly hasRun: boolean;
}

/** @throws Interrupted if the run is aborted; the journal then holds what was settled */
export async function measure(spec: MeasureSpec): Promise<MeasuredNow> {
  const archive = await openArchive(spec);
  try {
    return await measureInto(archive, spec);
  } finally {
    await archive.close();
  }
}

async function measureInto(archive: Archive, spec: MeasureSpec): Promise<MeasuredNow> {
  const { planned, plan, attacked } = spec;
  // An image that is attacked again to be saved takes the way that it took before, its picture's included.
  const drawn = archive.isFinished ? drawnBefore(spec) : undefined;
  // Pictures are in the journal only once all are drawn: until then their images are attacked again, with the same result.
  const showcase = new Showcase(attacked, drawn === undefined ? plan.galleryRows : 0, galleryRadius(plan));
  const stages: StageResult[] = [];
  for (const [index, stage] of stagesOf(planned).entries()) {
    const before = stages.map(({ tally }) => tally);
    stages.push(await runStage(spec, { index, stage, showcase, archive, before }));
  }
  const tally = Tally.together(stages.map(({ tally }) => tally));
  return {
    planned,
    tally,
    course: Course.together(stages.map(({ course }) => course)),
    saved: await archive.finish(tally),
    restarts: Math.max(...stages.map(({ restarts }) => restarts)),
    gallery: drawn ?? (await draw(spec, showcase)),
    hasRun: stages.some(({ hasRun }) => hasRun),
  };
}

/** The pictures, if earlier attempts of the run drew them. */
function drawnBefore({ journal, contender, planned, stopwatch }: MeasureSpec): Gallery | undefined {
  const isOurs = (record: JournalRecord): record is Extract<JournalRecord, { kind: 'gallery' }> =>
    record.kind === 'gallery' && record.contender === contenderName(contender) && record.attack === planned.attack.name;
  const record = journal.records.findLast(isOurs);
  if (record !== undefined) stopwatch.add('gallery', record.seconds);
  return record?.items;
}

async function draw(spec: MeasureSpec, { exhibits }: Showcase): Promise<Gallery> {
  const { contender, planned, judge, plan, journal, stopwatch, harness } = spec;
  const names = { contender: contenderName(contender), attack: planned.attack.name };
  const { norm, goal, dataset, epsilons } = plan;
  const epsilon = epsilons[galleryRadius(plan)] ?? 0;
  const began = performance.now();
  const items = await drawGallery(exhibits, {
    ...{ contender, attack: planned.attack.name, norm, epsilon, goal, judge },
    classes: dataset.classes,
  });
  const seconds = (performance.now() - began) / 1000;
  stopwatch.add('gallery', seconds);
  await journal.append({ kind: 'gallery', ...names, items, seconds });
  harness.onProgress?.({ phase: 'gallery', ...names, done: items.length, total: items.length });
  return items;
}

/**
 * Keeps the candidates of one attack on one contender, beside the journal, until all of them are there and can be saved.
 *
 * What a crash takes of them is attacked again, with the same result: a pair counts as done once its image is kept too.
 */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SavedImages } from '../../core/saved.ts';
import { withFile } from '../../weights/byte-source.ts';
import { sha256Of } from '../../weights/sha256.ts';
import type { SelectedImage } from '../images.ts';
import type { MeasureSpec } from '../job.ts';
import type { JournalRecord } from '../journal/record.ts';
import { contenderName, type Saving } from '../plan.ts';
import type { Outcome } from '../pool/pool.ts';
import type { Tally } from '../tally.ts';
import { CandidateLog } from './candidate-log.ts';
import { exportRadius, poseNote, type SavedRow } from './export.ts';
import { attackFolder } from './layout.ts';

/** What an attack's measurement tells of its images. */
export interface Archive {
  /** All is saved, by an earlier attempt of the run. */
  readonly isFinished: boolean;
  /**
   * Whether the candidate of a pair is to be kept and is not there.
   *
   * @param isRobust - as it was settled; undefined if it is not
   */
  misses(stage: number, image: number, radius: number, isRobust: boolean | undefined): boolean;
  /** Takes an image that is about to be attacked. */
  hold(image: SelectedImage): Promise<void>;
  /** Takes where attacks ended, before they are settled. */
  take(stage: number, outcomes: readonly Outcome[]): Promise<void>;
  /** Saves what was kept. @throws Interrupted if the run is aborted */
  finish(tally: Tally): Promise<readonly SavedImages[]>;
  close(): Promise<void>;
}

/** Keeps nothing. */
const NOTHING: Archive = {
  isFinished: true,
  misses: () => false,
  hold: async () => undefined,
  take: async () => undefined,
  finish: async () => [],
  close: async () => undefined,
};

/** @throws UserError if images that earlier attempts kept cannot be read */
export async function openArchive(spec: MeasureSpec): Promise<Archive> {
  const { saving } = spec.harness;
  if (saving === undefined) return NOTHING;
  const path = join(saving.folder, attackFolder(spec.contender, spec.planned.attack.name), 'candidates.part');
  const finished = await finishedBefore(spec, saving);
  if (finished === undefined) return collect(spec, saving, path);
  return { ...NOTHING, finish: () => rm(path, { force: true }).then(() => finished) };
}

/** What earlier attempts saved, if all of it is there and as it should be. */
async function finishedBefore(
  { journal, contender, planned }: MeasureSpec,
  { folder, kept, rounding }: Saving,
): Promise<readonly SavedImages[] | undefined> {
  const isOurs = (record: JournalRecord): record is Extract<JournalRecord, { kind: 'saved' }> =>
    record.kind === 'saved' && record.contender === contenderName(contender) && record.attack === planned.attack.name;
  const record = journal.records.findLast(isOurs);
  if (record === undefined || record.kept !== kept || record.rounding !== rounding) return undefined;
  for (const { file, sha256 } of record.files) {
    const found = await withFile(join(folder, file), sha256Of).catch(() => undefined);
    if (found !== sha256) return undefined;
  }
  return record.files;
}

/** The clean images. */
const CLEAN = 0;

async function collect(spec: MeasureSpec, { folder, kept, rounding }: Saving, path: string): Promise<Archive> {
  const { contender, planned, plan, judge, labels, journal, stopwatch, harness } = spec;
  const { norm, goal, epsilons } = plan;
  const { input } = contender.classifier;
  const log = await CandidateLog.open(
    path,
    input.reduce((a, b) => a * b, 1),
  );
  const layer = (stage: number, radius: number): number => CLEAN + 1 + stage * epsilons.length + radius;
  const stages = planned.stages?.length ?? 1;
  /** Of several stages, the last that met the image has the last word. */
  const lastLayer = (image: number, radius: number): number | undefined =>
    Array.from({ length: stages }, (_, stage) => layer(stage, radius)).findLast((one) => log.has(one, image));

  const rowsAt = (radius: number, tally: Tally): SavedRow[] =>
    spec.attacked.flatMap((image) => {
      const isKept = kept === 'all' || tally.robust(radius)[image] === 0;
      const layer = isKept ? lastLayer(image, radius) : undefined;
      return layer === undefined ? [] : [{ index: image, label: labels[image] as number, layer }];
    });

  return {
    isFinished: false,
    misses: (stage, image, radius, isRobust) =>
      (kept === 'all' || isRobust !== true) && !(log.has(layer(stage, radius), image) && log.has(CLEAN, image)),
    hold: ({ index, pixels, id }) => log.append(CLEAN, index, pixels, id),
    take: async (stage, outcomes) => {
      for (const { image, radius, robust, made } of outcomes)
        if (kept === 'all' || !robust) await log.append(layer(stage, radius), image, made.x, poseNote(made.pose));
    },
    finish: async (tally) => {
      const began = performance.now();
      const names = { contender: contenderName(contender), attack: planned.attack.name };
      const means = { folder, kept, rounding, judge, contender, attack: names.attack, signal: harness.signal };
      const files: SavedImages[] = [];
      await clear(dirname(path));
      for (const [radius, epsilon] of epsilons.entries()) {
        const rows = rowsAt(radius, tally);
        if (rows.length === 0) continue;
        const file = await exportRadius(rows, {
          ...{ ...means, norm, epsilon, input, goal, dataset: plan.dataset.name },
          clean: (index) => log.read(CLEAN, index),
          adversarial: ({ layer, index }) => log.read(layer, index),
        });
        files.push(file);
        harness.onProgress?.({ phase: 'save', ...names, done: radius + 1, total: epsilons.length });
      }
      const seconds = (performance.now() - began) / 1000;
      stopwatch.add('save', seconds);
      await journal.append({ kind: 'saved', ...names, kept, rounding, files, seconds });
      await log.close();
      await rm(path);
      // Where nothing was to be saved, nothing is left.
      if (files.length === 0) await rmdir(dirname(path)).catch(() => undefined);
      return files;
    },
    close: () => log.close(),
  };
}

/** Whatever an earlier attempt has written, whole or not: radii by their names, and what stood in for them. */
const WRITTEN = /^[\d.e+-]+(\.part|\.safetensors(\.[\d-]+\.tmp)?)?$/;

async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder))
    if (WRITTEN.test(name)) await rm(join(folder, name), { recursive: true, force: true });
}

/** The sanity panel's probes of one contender: from the journal, or by running them. */
import type { Measured } from '../cells.ts';
import { galleryRadius } from '../gallery.ts';
import type { SelectedImage, Selection } from '../images.ts';
import type { Job } from '../job.ts';
import type { JournalRecord } from '../journal/record.ts';
import { type Contender, contenderName } from '../plan.ts';
import type { Judge } from '../pool/engine.ts';
import { type Findings, probe } from './probes.ts';

export interface ProbedSpec extends Job {
  readonly contender: Contender;
  readonly judge: Judge;
  /** Which images are attacked, by index, ascending. */
  readonly attacked: readonly number[];
  readonly labels: readonly number[];
  /** What the run's attacks did. */
  readonly attacks: readonly Measured[];
}

/** @throws Interrupted if the run is aborted */
export async function probed(spec: ProbedSpec): Promise<Findings> {
  const { plan, harness, journal, selection, stopwatch, contender, judge, attacked, labels, attacks } = spec;
  const { sanity, epsilons } = plan;
  if (sanity === undefined) return {};
  const name = contenderName(contender);
  const isOurs = (record: JournalRecord): record is Extract<JournalRecord, { kind: 'probes' }> =>
    record.kind === 'probes' && record.contender === name;
  const known = journal.records.find(isOurs);
  if (known !== undefined) {
    stopwatch.add('sanity', known.seconds);
    return known.findings;
  }
  const radius = galleryRadius(plan);
  const stands = attacked.filter((image) => attacks.every(({ tally }) => tally.robust(radius)[image] === 1));
  const [some, survivors] = [attacked.slice(0, sanity.images), stands.slice(0, sanity.images)];
  const began = performance.now();
  const images = await imagesAt(selection, labels, new Set([...some, ...survivors]));
  const imagesOf = (indices: readonly number[]): SelectedImage[] => indices.flatMap((index) => images.get(index) ?? []);
  const findings = await probe({
    ...{ plan, prepare: harness.prepare, contender, judge, signal: harness.signal },
    ...{ images: imagesOf(some), survivors: imagesOf(survivors), epsilon: epsilons[radius] ?? 0 },
    onProbe: (done, total) => harness.onProgress?.({ phase: 'probe', contender: name, done, total }),
  });
  const seconds = (performance.now() - began) / 1000;
  stopwatch.add('sanity', seconds);
  await journal.append({ kind: 'probes', contender: name, findings, seconds });
  return findings;
}

/** Some images of the selection, by index, with the labels that the clean pass settled. */
async function imagesAt(
  selection: Selection,
  labels: readonly number[],
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, SelectedImage>> {
  const found = new Map<number, SelectedImage>();
  for await (const image of selection.stream()) {
    if (wanted.has(image.index)) found.set(image.index, { ...image, label: labels[image.index] as number });
    if (found.size === wanted.size) break;
  }
  return found;
}

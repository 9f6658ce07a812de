/** Certifies networks by randomized smoothing: every network at every level of noise, to one immutable `Run`. */
import { UserError } from '../core/errors.ts';
import { type Certificates, parseRun, RUN_SCHEMA, type Run } from '../core/run.ts';
import { UNTARGETED } from '../core/threat-model.ts';
import { finite, requireFit } from '../evaluate/clean.ts';
import { distinctArchitectures } from '../evaluate/experiment.ts';
import { type SelectedImage, type Selection, selectImages } from '../evaluate/images.ts';
import { forgetfulJournal, type Journal } from '../evaluate/journal/journal.ts';
import type { CertifiedRow, JournalRecord } from '../evaluate/journal/record.ts';
import { type Contender, contenderName } from '../evaluate/plan.ts';
import { type Judge, prepareJudge } from '../evaluate/pool/engine.ts';
import { provenanceOf } from '../evaluate/provenance.ts';
import { Stopwatch } from '../evaluate/stopwatch.ts';
import { type Certified, certificatesOf } from './certificates.ts';
import { type CertificationHarness, type CertificationPlan, requireCertifiable, sigmasOf } from './plan.ts';
import { poll } from './poll.ts';
import { certifiedRadius, leader } from './smoothing.ts';

/** Every so many seconds what is certified goes into the journal: an interruption costs no more than that, and one image. */
const JOURNAL_SECONDS = 5;

/**
 * Runs the plan. The same plan gives the same `certificates` but for `seconds`, whatever `batch` is and however often it was
 * interrupted and resumed from its journal.
 *
 * @throws UserError for a plan that cannot be carried out, and for a network that does not fit its images
 * @throws Interrupted if `harness.signal` is aborted; the journal then holds what was finished
 */
export async function runCertification(plan: CertificationPlan, harness: CertificationHarness): Promise<Run> {
  requireCertifiable(plan);
  const journal = harness.journal ?? forgetfulJournal(harness.command);
  const selection = selectImages(plan.dataset, plan.images, plan.seed);
  const stopwatch = new Stopwatch();
  const job = { plan, harness, journal, selection };
  const certificates: Certificates[] = [];
  for (const contender of plan.contenders) {
    const { classifier } = contender;
    const judge = await stopwatch.time('prepare', () => prepareJudge(harness.prepare, classifier, plan.batch));
    try {
      for (const sigma of sigmasOf(plan, contender)) {
        const certified = await certify({ ...job, contender, sigma, judge });
        stopwatch.add('certify', certified.seconds);
        certificates.push(certificatesOf(certified, plan));
      }
    } finally {
      await judge.release();
    }
  }
  const images = certificates[0]?.images ?? 0;
  const run: Run = {
    schema: RUN_SCHEMA,
    id: harness.id,
    command: journal.command,
    config: { ...harness.config },
    provenance: await provenanceOf({
      plan: { ...plan, goal: UNTARGETED },
      ...{ harness, selection, images, skipped: selection.skipped(), leftOut: [0] },
      started: journal.started,
      phases: stopwatch.phases,
      iteratePolicy: 'no attack was made: a certificate holds against every perturbation up to its radius',
      galleryRule: 'no pictures',
      ...{ transferRule: undefined, naiveRule: undefined, fitRule: undefined },
    }),
    architectures: distinctArchitectures(plan.contenders),
    ...{ attacks: [], classes: [...plan.dataset.classes], cells: [], certificates, checks: [], gallery: [] },
  };
  return parseRun(run, 'the result');
}

interface Job {
  readonly plan: CertificationPlan;
  readonly harness: CertificationHarness;
  readonly journal: Journal;
  readonly selection: Selection;
  readonly contender: Contender;
  readonly sigma: number;
  readonly judge: Judge;
}

/** CERTIFY for every image, but for those that the journal holds already. */
async function certify(job: Job): Promise<Certified> {
  const { plan, harness, journal, selection, contender, sigma } = job;
  const name = contenderName(contender);
  const isOurs = (record: JournalRecord): record is Extract<JournalRecord, { kind: 'certified' }> =>
    record.kind === 'certified' && record.contender === name && record.sigma === sigma;
  const known = journal.records.filter(isOurs);
  const rows = new Map(known.flatMap((record) => record.rows).map((row) => [row[0], row]));
  let seconds = known.reduce((sum, record) => sum + record.seconds, 0);
  let accurate = [...rows.values()].filter((row) => isRight(row, job)).length;

  let unwritten: CertifiedRow[] = [];
  let began = performance.now();
  const write = async (): Promise<void> => {
    const elapsed = (performance.now() - began) / 1000;
    if (unwritten.length > 0) {
      await journal.append({ kind: 'certified', contender: name, sigma, rows: unwritten, seconds: elapsed });
      seconds += elapsed;
    }
    unwritten = [];
    began = performance.now();
  };
  try {
    for await (const image of selection.stream()) {
      if (!rows.has(image.index)) {
        const row = await certifyImage(image, job);
        rows.set(image.index, row);
        unwritten.push(row);
        if (isRight(row, job)) accurate += 1;
        if (performance.now() - began > 1000 * JOURNAL_SECONDS) await write();
      }
      harness.onProgress?.({
        ...{ contender: name, sigma, done: rows.size, total: Math.min(plan.images, selection.size) },
        accuracy: accurate / rows.size,
      });
    }
  } finally {
    await write();
  }
  if (rows.size === 0) throw new UserError('the dataset gave no image that could be read');
  return { contender, sigma, rows: [...rows.values()], seconds };
}

const isRight = ([, label, selected, votes]: CertifiedRow, { plan: { samples, alpha }, sigma }: Job): boolean =>
  label === selected && certifiedRadius(votes, samples, { sigma, alpha }) !== null;

/** Some copies choose the class, others, which had no say in it, are counted. */
async function certifyImage(
  image: SelectedImage,
  { plan, harness, contender, sigma, judge }: Job,
): Promise<CertifiedRow> {
  requireFit(contender, image, 'true');
  const { seed, selectionSamples, samples } = plan;
  const { id, index, hash, label, pixels } = image;
  const accept = (logits: Float32Array): Float32Array => finite(contender, `${id} with noise`, logits);
  const common = { pixels, image: hash, seed, sigma, accept, signal: harness.signal };
  const selected = leader(await poll(judge, { ...common, purpose: 'selection', samples: selectionSamples }));
  const votes = await poll(judge, { ...common, purpose: 'estimation', samples });
  return [index, label, selected, votes[selected] ?? 0];
}

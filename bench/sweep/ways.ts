/** Three ways to sweep over the radii with the same slots, verification and journal: an experiment as it is, and with less. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../src/compile/compile.ts';
import { JOURNAL } from '../../src/core/run.ts';
import type { Versions } from '../../src/core/versions.ts';
import { cleanPass } from '../../src/evaluate/clean.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { type SelectedImage, selectImages } from '../../src/evaluate/images.ts';
import { type Journal, openJournal } from '../../src/evaluate/journal/journal.ts';
import type { JournalRecord } from '../../src/evaluate/journal/record.ts';
import { contenderName, type ExperimentPlan, type Harness, stagesOf } from '../../src/evaluate/plan.ts';
import { prepareAttack, prepareJudge } from '../../src/evaluate/pool/engine.ts';
import type { Assignment } from '../../src/evaluate/pool/lanes.ts';
import { runPool } from '../../src/evaluate/pool/pool.ts';
import { recorder } from '../../src/evaluate/recorder.ts';
import { rehearse } from '../../src/evaluate/rehearse/rehearse.ts';
import { Stopwatch } from '../../src/evaluate/stopwatch.ts';
import { Tally } from '../../src/evaluate/tally.ts';
import { CLOCKS } from './clock.ts';
import type { SweepSpec, Swept } from './sweep.ts';
import { type Watched, watch } from './watch.ts';

/** What a way gets: its results are what it leaves in the journal. */
interface Given {
  readonly plan: ExperimentPlan;
  readonly harness: Harness & { readonly journal: Journal };
}
export type Way = (given: Given) => Promise<void>;

export interface OurSwept extends Swept {
  /** Where the time went, in seconds. */
  readonly parts: Readonly<Record<string, number>>;
}

/** As an experiment does it: radius after radius, each on what still stands, and every slot filled again at once. */
export const bracketed: Way = async ({ plan, harness }) => void (await runExperiment(plan, harness));

/** Every radius attacked on its own, as if nothing were known of smaller ones. */
export const apart: Way = (given) => everyRadius(given, { refill: true, earlyStop: true });

/** The same in fixed batches, which take all their steps. */
export const fixed: Way = (given) => everyRadius(given, { refill: false, earlyStop: false });

async function everyRadius(
  { plan, harness }: Given,
  manner: { readonly refill: boolean; readonly earlyStop: boolean },
): Promise<void> {
  const { contenders, attacks, dataset, epsilons, norm, goal, seed, batch, restarts } = plan;
  const [[contender], [planned]] = [contenders, attacks];
  if (contender === undefined || planned === undefined) throw new Error('a sweep is of one attack on one network');
  const { journal, prepare } = harness;
  const { classifier } = contender;
  const [stage] = stagesOf(planned);
  if (stage === undefined) throw new Error(`${planned.attack.name} has no stages`);
  const selection = selectImages(dataset, plan.images, seed);
  const judge = await prepareJudge(prepare, classifier, batch);
  const clean = await cleanPass(contender, judge, selection, { labels: 'true', onBatch: () => undefined });
  await journal.append(clean);
  const threat = { classifier, norm, targeted: false };
  const rehearsal = await rehearse({ ...stage, ...threat });
  const engine = await prepareAttack(prepare, { ...stage, ...threat, batch, rehearsal });
  const attacked = [...clean.labels.keys()].filter((i) => clean.labels[i] === clean.predicted[i]);
  const images = await imagesAt(selection.stream(), new Set(attacked));
  const work = async function* (): AsyncGenerator<Assignment> {
    for (const radius of epsilons.keys()) for (const image of images) yield { image, radii: [radius] };
  };
  const onSettled = recorder({
    ...{ names: { contender: contenderName(contender), attack: planned.attack.name, stage: undefined }, attacked },
    ...{ radii: epsilons.length, pairs: attacked.length * epsilons.length, journal, onProgress: undefined },
    ...{ tally: new Tally(clean.labels.length, epsilons.length), stopwatch: new Stopwatch() },
  });
  await runPool({
    ...{ engine, rehearsal, judge, norm, goal, seed, epsilons, restarts, onSettled },
    ...{ work: work(), input: classifier.input, ...manner },
  });
  await Promise.all([engine.release(), judge.release()]);
}

async function imagesAt(stream: AsyncIterable<SelectedImage>, wanted: ReadonlySet<number>): Promise<SelectedImage[]> {
  const found: SelectedImage[] = [];
  for await (const image of stream) if (wanted.has(image.index)) found.push(image);
  return found;
}

/** Sweeps once, from the compilation to the last line of the journal, which is a file as in any run. */
export async function sweep(way: Way, spec: SweepSpec, versions: Versions): Promise<OurSwept> {
  const folder = await mkdtemp(join(tmpdir(), 'gibbon-sweep-'));
  try {
    const clock = CLOCKS[spec.clock];
    const watched = watch(compile, clock);
    const records: JournalRecord[] = [];
    const began = clock();
    const file = await openJournal(join(folder, JOURNAL), { key: 'sweep', command: 'sweep', resume: false });
    const append = (record: JournalRecord): Promise<void> => {
      records.push(record);
      return file.append(record);
    };
    await way({
      plan: planOf(spec),
      harness: {
        ...{ prepare: watched.prepare, backend: 'onnx-cpu', command: 'sweep', config: {}, id: 'sweep', versions },
        journal: { ...file, append },
      },
    });
    await file.close();
    return sweptOf(spec, records, watched, clock() - began);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const planOf = ({ contender, dataset, images, planned, epsilons, seed, batch }: SweepSpec): ExperimentPlan => ({
  ...{ contenders: [contender], attacks: [planned], dataset, images, epsilons, seed, batch },
  ...{ norm: 'Linf', goal: { kind: 'untargeted' }, restarts: 1, galleryRows: 0 },
});

function sweptOf(
  { images, epsilons, batch }: SweepSpec,
  records: readonly JournalRecord[],
  { used: { init, step, forward }, compiled }: Watched,
  seconds: number,
): OurSwept {
  const standing = epsilons.map(() => new Uint8Array(images));
  let gradients = 0;
  for (const [image, radius, robust, , , spent] of records.flatMap((one) =>
    one.kind === 'outcomes' ? one.rows : [],
  )) {
    gradients += spent;
    (standing[radius] as Uint8Array)[image] = robust;
  }
  const inside = compiled.seconds + init.seconds + step.seconds + forward.seconds;
  return {
    ...{ seconds, gradients, standing, computed: step.calls * batch, forwards: forward.calls * batch },
    parts: {
      compiling: compiled.seconds,
      starts: init.seconds,
      steps: step.seconds,
      'forward passes': forward.seconds,
      'all else': seconds - inside,
    },
  };
}

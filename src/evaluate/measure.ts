/** One attack against one contender, at all radii: what is in the journal is taken from there, the rest is run. */
import type { GalleryItem } from '../core/run.ts';
import { blame } from './blame.ts';
import type { Measured } from './cells.ts';
import { type Judge, prepareAttack } from './engine.ts';
import { drawGallery, galleryRadius, Showcase } from './gallery.ts';
import type { Selection } from './images.ts';
import type { Journal } from './journal.ts';
import type { Assignment, Fallen } from './lanes.ts';
import { type Contender, contenderName, type ExperimentPlan, type Harness, type PlannedAttack } from './plan.ts';
import { type PoolSpec, runPool } from './pool.ts';
import type { Stopwatch } from './provenance.ts';
import { recorder } from './recorder.ts';
import { drawsNoise, rehearse } from './rehearse.ts';
import { Tally } from './tally.ts';

export interface MeasureSpec {
  readonly planned: PlannedAttack;
  readonly contender: Contender;
  readonly judge: Judge;
  readonly selection: Selection;
  /** The label of every image that was measured clean, by index. */
  readonly labels: readonly number[];
  /** Which of them are attacked, by index, ascending. */
  readonly attacked: readonly number[];
  readonly plan: ExperimentPlan;
  readonly harness: Harness;
  readonly journal: Journal;
  readonly stopwatch: Stopwatch;
}

type Gallery = readonly GalleryItem[];

export interface MeasuredNow extends Measured {
  readonly gallery: Gallery;
  /** Whether anything was left to do: not, if earlier attempts of the run had done it all. */
  readonly hasRun: boolean;
}

/** @throws Interrupted if the run is aborted; the journal then holds what was settled */
export async function measure(spec: MeasureSpec): Promise<MeasuredNow> {
  const { planned, contender, plan, labels, attacked, stopwatch } = spec;
  const { attack, params } = planned;
  const { classifier } = contender;
  const epsilonAt = (radius: number): number => plan.epsilons[radius] as number;
  const radii = [...plan.epsilons.keys()].sort((a, b) => epsilonAt(a) - epsilonAt(b));
  const rehearsal = await stopwatch.time('prepare', () =>
    blame(planned, 'cannot be rehearsed', () =>
      rehearse({ attack, params, classifier, norm: plan.norm, targeted: plan.goal.kind === 'targeted' }),
    ),
  );
  const restarts = drawsNoise(rehearsal) ? plan.restarts : 1;

  const tally = new Tally(labels.length, radii.length);
  const drawn = replay(spec, tally);
  // Pictures are in the journal only once all are drawn: until then their images are attacked again, with the same result.
  const showcase = new Showcase(attacked, drawn === undefined ? plan.galleryRows : 0, galleryRadius(plan));
  const exhibited = radii.indexOf(galleryRadius(plan));
  // Where an image ends may have begun at any smaller radius: for a picture, all of them are attacked again.
  const isDue = (image: number, radius: number): boolean =>
    !tally.isSettled(image, radius) ||
    (radii.indexOf(radius) <= exhibited && showcase.wants(image, radii[exhibited] as number));
  const due = attacked.map((image) => [image, radii.filter((radius) => isDue(image, radius))] as const);
  const left = new Map(due.filter(([, wanted]) => wanted.length > 0));
  if (left.size > 0) await attackAll(spec, { rehearsal, restarts, left, tally, showcase });
  return { planned, tally, restarts, gallery: drawn ?? (await draw(spec, showcase)), hasRun: left.size > 0 };
}

/** Adds what earlier attempts of the run have settled, and gives back the pictures if they were drawn. */
function replay({ journal, contender, planned, stopwatch }: MeasureSpec, tally: Tally): Gallery | undefined {
  let gallery: Gallery | undefined;
  for (const record of journal.records) {
    if (record.contender !== contenderName(contender)) continue;
    if (record.kind === 'clean' || record.attack !== planned.attack.name) continue;
    if (record.kind === 'gallery') {
      gallery = record.items;
      stopwatch.add('gallery', record.seconds);
    } else {
      for (const row of record.rows) tally.add(row);
      for (const [image, distance] of record.distances ?? []) tally.distances.set(image, distance);
      tally.seconds += record.seconds;
      stopwatch.add('attack', record.seconds);
    }
  }
  return gallery;
}

interface Remaining extends Pick<PoolSpec, 'restarts' | 'rehearsal'> {
  /** Indices of the radii to attack at, by index of the image. */
  readonly left: ReadonlyMap<number, readonly number[]>;
  readonly tally: Tally;
  readonly showcase: Showcase;
}

async function attackAll(spec: MeasureSpec, { rehearsal, restarts, left, tally, showcase }: Remaining): Promise<void> {
  const { planned, contender, judge, plan, harness, stopwatch, attacked, journal } = spec;
  const { norm, goal, seed, epsilons, batch } = plan;
  const { classifier } = contender;
  const names = { contender: contenderName(contender), attack: planned.attack.name };
  const { onProgress, signal } = harness;
  onProgress?.({ phase: 'prepare', ...names, done: 0, total: 1 });
  const engine = await stopwatch.time('prepare', () =>
    blame(planned, 'cannot be compiled', () =>
      prepareAttack(harness.prepare, {
        ...{ ...planned, classifier, norm, batch, rehearsal },
        targeted: goal.kind === 'targeted',
      }),
    ),
  );
  const record = recorder({ ...names, attacked, radii: epsilons.length, tally, journal, stopwatch, onProgress });
  try {
    await runPool({
      ...{ engine, rehearsal, judge, norm, goal, seed, epsilons, restarts, signal },
      earlyStop: plan.earlyStop ?? true,
      work: assignments(spec, { left, showcase, tally }),
      pixels: classifier.input.reduce((a, b) => a * b, 1),
      onSettled: async (outcomes) => {
        for (const outcome of outcomes) showcase.take(outcome);
        await record(outcomes);
      },
    });
  } finally {
    await engine.release();
  }
}

/** The images that are left, as they come; what follows the last of them is not read. */
async function* assignments(
  { selection, labels, plan }: MeasureSpec,
  { left, showcase, tally }: Pick<Remaining, 'left' | 'showcase' | 'tally'>,
): AsyncGenerator<Assignment> {
  let given = 0;
  for await (const streamed of selection.stream()) {
    const radii = left.get(streamed.index);
    if (radii === undefined) continue;
    // The clean pass has the last word: where labels are not known, they are what it found.
    const image = { ...streamed, label: labels[streamed.index] as number };
    showcase.hold(image);
    const shown = galleryRadius(plan);
    yield {
      image,
      radii,
      exhibited: showcase.wants(image.index, shown) ? shown : undefined,
      fallen: fallenBelow(plan, radii, (smaller) => tally.fallen(image.index, smaller)),
    };
    given += 1;
    if (given === left.size) return;
  }
}

/** What earlier attempts of the run found at radii below those that are left. */
function fallenBelow(
  { epsilons }: ExperimentPlan,
  [first]: readonly number[],
  among: (radii: readonly number[]) => Fallen | undefined,
): Fallen | undefined {
  const least = epsilons[first ?? 0] as number;
  return among([...epsilons.keys()].filter((radius) => (epsilons[radius] as number) < least));
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

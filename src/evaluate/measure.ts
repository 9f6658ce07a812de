/** One attack against one contender, at all radii: what is in the journal is taken from there, the rest is run. */
import type { GalleryItem } from '../core/run.ts';
import type { Measured } from './cells.ts';
import { type Judge, prepareAttack } from './engine.ts';
import { drawGallery, type Exhibit, galleryRadius } from './gallery.ts';
import type { Selection } from './images.ts';
import type { Journal, JournalRecord, OutcomeRow } from './journal.ts';
import { type Contender, contenderName, type ExperimentPlan, type Harness, type PlannedAttack } from './plan.ts';
import { type Assignment, type Outcome, type PoolSpec, runPool } from './pool.ts';
import type { Stopwatch } from './provenance.ts';
import { rehearse } from './rehearse.ts';
import { rowOf, Tally } from './tally.ts';

export interface MeasureSpec {
  readonly planned: PlannedAttack;
  readonly contender: Contender;
  readonly judge: Judge;
  readonly selection: Selection;
  /** How many images were measured clean. */
  readonly images: number;
  /** Which of them are attacked, by index, ascending. */
  readonly attacked: readonly number[];
  /** Which withstand without an attack, for there is nothing to gain: images of the target class. */
  readonly exempt: readonly number[];
  readonly plan: ExperimentPlan;
  readonly harness: Harness;
  readonly journal: Journal;
  readonly stopwatch: Stopwatch;
}

/** @throws Interrupted if the run is aborted; the journal then holds what was settled */
export async function measure(spec: MeasureSpec): Promise<Measured & { readonly gallery: readonly GalleryItem[] }> {
  const { planned, contender, plan, images, attacked, exempt, stopwatch } = spec;
  const { epsilons } = plan;
  const { classifier } = contender;
  const targeted = plan.goal.kind === 'targeted';
  const rehearsal = await stopwatch.time('prepare', () =>
    rehearse({ ...planned, classifier, norm: plan.norm, targeted }),
  );
  const random = rehearsal.init.noise.length + rehearsal.step.noise.length > 0;
  const restarts = random ? plan.restarts : 1;

  const { tally, gallery: drawn } = replay(spec, new Tally(images, epsilons.length));
  for (const image of exempt) for (const radius of epsilons.keys()) tally.add([image, radius, 1, 1, 0, 0, 0]);
  const shown = new Set(attacked.slice(0, plan.galleryRows));
  const shownRadius = galleryRadius(plan);
  // Pictures are not in the journal until all of them are drawn: their images are attacked again, with the same result.
  const isDue = (image: number, radius: number): boolean =>
    !tally.isSettled(image, radius) || (drawn === undefined && radius === shownRadius && shown.has(image));
  const due = new Map(
    attacked
      .map((image) => [image, [...epsilons.keys()].filter((radius) => isDue(image, radius))] as const)
      .filter(([, radii]) => radii.length > 0),
  );
  const exhibits: Exhibit[] = [];
  if (due.size > 0) {
    const run = {
      restarts,
      rehearsal,
      due,
      tally,
      isShown: (image: number, radius: number) => radius === shownRadius && shown.has(image),
      exhibits,
    };
    await attack(spec, run);
  }
  const gallery = drawn ?? (await draw(spec, exhibits, epsilons[shownRadius] ?? 0));
  return { planned, tally, restarts, gallery };
}

/** What earlier attempts of the run have done. */
function replay({ journal, contender, planned, stopwatch }: MeasureSpec, tally: Tally) {
  let gallery: readonly GalleryItem[] | undefined;
  const isOurs = (record: JournalRecord): boolean =>
    record.contender === contenderName(contender) && record.kind !== 'clean' && record.attack === planned.attack.name;
  for (const record of journal.records.filter(isOurs)) {
    if (record.kind === 'gallery') {
      gallery = record.items;
      stopwatch.add('gallery', record.seconds);
    } else if (record.kind === 'outcomes') {
      for (const row of record.rows) tally.add(row);
      tally.seconds += record.seconds;
      stopwatch.add('attack', record.seconds);
    }
  }
  return { tally, gallery };
}

interface AttackRun extends Pick<PoolSpec, 'restarts' | 'rehearsal'> {
  /** Indices of radii by index of the image. */
  readonly due: ReadonlyMap<number, readonly number[]>;
  readonly tally: Tally;
  readonly isShown: (image: number, radius: number) => boolean;
  /** Receives what the gallery will show. */
  readonly exhibits: Exhibit[];
}

async function attack(
  spec: MeasureSpec,
  { restarts, rehearsal, due, tally, isShown, exhibits }: AttackRun,
): Promise<void> {
  const { planned, contender, judge, plan, harness, journal, stopwatch } = spec;
  const { classifier } = contender;
  const names = { contender: contenderName(contender), attack: planned.attack.name };
  const targeted = plan.goal.kind === 'targeted';
  const total = spec.attacked.length * plan.epsilons.length;
  harness.onProgress?.({ phase: 'prepare', ...names, done: 0, total: 1 });
  const engine = await stopwatch.time('prepare', () =>
    prepareAttack(harness.prepare, { ...planned, classifier, norm: plan.norm, targeted, batch: plan.batch, rehearsal }),
  );
  const shownImages = new Map<number, Assignment['image']>();
  const work = async function* (): AsyncGenerator<Assignment> {
    for await (const image of spec.selection.stream()) {
      const radii = due.get(image.index);
      if (radii === undefined) continue;
      if (radii.some((radius) => isShown(image.index, radius))) shownImages.set(image.index, image);
      yield { image, radii };
    }
  };
  const progress = progressOf(tally, spec.attacked, plan.epsilons.length);
  let began = performance.now();
  const onSettled = async (outcomes: readonly Outcome[]): Promise<void> => {
    const rows = outcomes.map(rowOf);
    for (const { image, radius, candidate, robust } of outcomes) {
      const shown = shownImages.get(image);
      if (shown !== undefined && isShown(image, radius)) exhibits.push({ image: shown, candidate, fooled: !robust });
    }
    const fresh = rows.filter(([image, radius]) => !tally.isSettled(image, radius));
    for (const row of fresh) tally.add(row);
    const seconds = (performance.now() - began) / 1000;
    began = performance.now();
    tally.seconds += seconds;
    stopwatch.add('attack', seconds);
    if (fresh.length > 0) await journal.append({ kind: 'outcomes', ...names, rows: fresh, seconds });
    harness.onProgress?.({ phase: 'attack', ...names, total, ...progress(fresh) });
  };
  try {
    const { input } = classifier;
    await runPool({
      ...{ engine, rehearsal, restarts, judge, onSettled },
      ...{ norm: plan.norm, goal: plan.goal, seed: plan.seed, epsilons: plan.epsilons },
      work: work(),
      pixels: input[0] * input[1] * input[2],
      signal: harness.signal,
    });
  } finally {
    await engine.release();
  }
}

/** How far the pool is: kept up as outcomes come, for there may be millions. */
function progressOf(tally: Tally, attacked: readonly number[], radii: number) {
  const known = attacked.flatMap((image) =>
    Array.from({ length: radii }, (_, radius) => radius)
      .filter((radius) => tally.isSettled(image, radius))
      .map((radius) => [image, radius] as const),
  );
  let done = known.length;
  let robust = known.filter(([image, radius]) => tally.robust(radius)[image] === 1).length;
  return (fresh: readonly OutcomeRow[]) => {
    done += fresh.length;
    robust += fresh.filter(([, , withstood]) => withstood === 1).length;
    const gradients = tally.spent.reduce((sum, spent) => sum + spent.gradients, 0);
    return { done, accuracy: done === 0 ? 0 : robust / done, gradients };
  };
}

async function draw(spec: MeasureSpec, exhibits: readonly Exhibit[], epsilon: number): Promise<GalleryItem[]> {
  const { contender, planned, judge, plan, journal, stopwatch, harness } = spec;
  const names = { contender: contenderName(contender), attack: planned.attack.name };
  const began = performance.now();
  const { norm, goal, dataset } = plan;
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

/** One stage of an attack, or an attack that is its own only stage, against one contender, at all radii. */
import { blame } from '../core/blame.ts';
import { Course } from './course.ts';
import type { FitOwner } from './fit/fits.ts';
import { galleryRadius, type Showcase } from './gallery.ts';
import type { MeasureSpec } from './job.ts';
import { unpackFloats } from './journal/pack.ts';
import {
  attackedOf,
  contenderName,
  type ExperimentPlan,
  isStandIn,
  type PlannedStage,
  restartsOf,
  stageName,
} from './plan.ts';
import { prepareAttack } from './pool/engine.ts';
import type { Assignment, Fallen } from './pool/lanes.ts';
import { type PoolSpec, runPool, type Watch } from './pool/pool.ts';
import { recorder } from './recorder.ts';
import { drawsNoise, rehearse, triesAt } from './rehearse/rehearse.ts';
import type { Archive } from './saved/archive.ts';
import { Tally } from './tally.ts';

/** A stage's place among those of its attack, and what it goes on from. */
export interface StageSpec {
  readonly index: number;
  readonly stage: PlannedStage;
  readonly showcase: Showcase;
  readonly archive: Archive;
  /** What the stages before did, each to what those before it left standing. */
  readonly before: readonly Tally[];
}

/** What a stage did. */
export interface StageResult {
  readonly tally: Tally;
  readonly course: Course;
  readonly restarts: number;
  readonly hasRun: boolean;
}

/**
 * What is in the journal is taken from there, the rest is run.
 *
 * @throws Interrupted if the run is aborted; the journal then holds what was settled
 */
export async function runStage(
  spec: MeasureSpec,
  { index, stage, showcase, archive, before }: StageSpec,
): Promise<StageResult> {
  const { contender, plan, labels, attacked, stopwatch } = spec;
  const epsilonAt = (radius: number): number => plan.epsilons[radius] as number;
  const radii = [...plan.epsilons.keys()].sort((a, b) => epsilonAt(a) - epsilonAt(b));
  const rehearsal = await stopwatch.time('prepare', () =>
    blame(stage, 'cannot be rehearsed', () =>
      rehearse({
        ...{ attack: stage.attack, params: stage.params, classifier: contender.classifier },
        ...{ norm: plan.norm, targeted: plan.goal.kind === 'targeted' },
      }),
    ),
  );
  const tally = new Tally(labels.length, radii.length);
  const course = new Course(
    labels.length,
    radii.length,
    rehearsal.steps * triesAt(rehearsal, 1, restartsOf(plan, stage)),
  );
  replay(spec, stage, tally, course);

  const stands = (image: number, radius: number): boolean =>
    before.every((earlier) => earlier.robust(radius)[image] === 1);
  const shown = galleryRadius(plan);
  // Where an image ends may have begun at any smaller radius: for a picture, all of them are attacked again.
  const isWanted = (image: number, radius: number): boolean =>
    epsilonAt(radius) <= epsilonAt(shown) && showcase.wants(image, shown) && stands(image, shown);
  const isMissing = (image: number, radius: number): boolean => {
    const isRobust = tally.isSettled(image, radius) ? tally.robust(radius)[image] === 1 : undefined;
    return stands(image, radius) && archive.misses(index, image, radius, isRobust);
  };
  // For the same reason, what is saved of a radius is what all smaller ones led to.
  const leadsToMissing = (image: number, radius: number): boolean =>
    radii.some((other) => epsilonAt(other) >= epsilonAt(radius) && isMissing(image, other));
  const isDue = (image: number, radius: number): boolean =>
    stands(image, radius) &&
    (!tally.isSettled(image, radius) || isWanted(image, radius) || leadsToMissing(image, radius));
  const due = attacked.map((image) => [image, radii.filter((radius) => isDue(image, radius))] as const);
  const left = new Map(due.filter(([, wanted]) => wanted.length > 0));
  const pairs = attacked.reduce((sum, image) => sum + radii.filter((radius) => stands(image, radius)).length, 0);
  if (left.size > 0) await attackAll(spec, { index, stage, rehearsal, left, pairs, tally, course, showcase, archive });
  const isMet = (radius: number): boolean => attacked.some((image) => stands(image, radius));
  countFits(spec, stage, radii.filter(isMet), tally);
  return { tally, course, restarts: drawsNoise(rehearsal) ? plan.restarts : 1, hasRun: left.size > 0 };
}

/** Adds what earlier attempts of the run have settled. */
function replay(spec: MeasureSpec, stage: PlannedStage, tally: Tally, course: Course): void {
  const { journal, contender, planned, stopwatch } = spec;
  for (const record of journal.records) {
    if (record.kind !== 'outcomes' || record.contender !== contenderName(contender)) continue;
    if (record.attack !== planned.attack.name || record.stage !== stageName(planned, stage)) continue;
    for (const row of record.rows) tally.add(row);
    for (const [image, distance] of record.distances ?? []) tally.distances.set(image, distance);
    for (const end of record.ends ?? []) course.add(end);
    for (const [image, radius, text] of record.traces ?? []) course.addTrace(image, radius, unpackFloats(text));
    tally.seconds += record.seconds;
    stopwatch.add('attack', record.seconds);
  }
}

/** Adds what the attack's fits took, each to its radius, in whichever attempt of the run they were made. */
function countFits(spec: MeasureSpec, stage: PlannedStage, radii: readonly number[], tally: Tally): void {
  for (const radius of radii) {
    const fit = spec.fits.at(ownerOf(spec, stage), spec.plan.epsilons[radius] as number);
    const spent = tally.spent[radius];
    if (fit === undefined || spent === undefined) continue;
    spent.gradients += fit.gradients;
    spent.forwards += fit.forwards;
    tally.seconds += fit.seconds;
  }
}

/** What a fit is kept under. */
const ownerOf = (spec: MeasureSpec, stage: PlannedStage): FitOwner => ({
  ...{ contender: spec.contender, attack: spec.planned.attack.name, stageName: stageName(spec.planned, stage) },
});

interface Remaining extends Pick<PoolSpec, 'rehearsal'>, Pick<StageSpec, 'index' | 'stage' | 'showcase' | 'archive'> {
  /** Indices of the radii to attack at, by index of the image. */
  readonly left: ReadonlyMap<number, readonly number[]>;
  /** Pairs of image and radius that the stage has in all. */
  readonly pairs: number;
  readonly tally: Tally;
  readonly course: Course;
}

async function attackAll(spec: MeasureSpec, remaining: Remaining): Promise<void> {
  const { planned, contender, judge, plan, harness, stopwatch, attacked, journal } = spec;
  const { index, stage, rehearsal, pairs, tally, course, showcase, archive } = remaining;
  const { norm, goal, seed, epsilons, batch } = plan;
  const classifier = attackedOf(contender);
  const names = { contender: contenderName(contender), attack: planned.attack.name, stage: stageName(planned, stage) };
  const { onProgress, signal } = harness;
  onProgress?.({ phase: 'prepare', ...names, done: 0, total: 1 });
  const engine = await stopwatch.time('prepare', () =>
    blame(stage, 'cannot be compiled', () =>
      prepareAttack(harness.prepare, {
        ...{ ...stage, classifier, norm, batch, rehearsal },
        targeted: goal.kind === 'targeted',
      }),
    ),
  );
  try {
    const fitted = await spec.fits.fitted({
      ...{ ...ownerOf(spec, stage), stage, judge, engine, rehearsal, epsilons },
      radii: new Set([...remaining.left.values()].flat()),
    });
    const watch = watchOf(spec);
    const record = recorder({
      ...{ names, attacked, pairs, radii: epsilons.length, tally, journal, stopwatch, onProgress },
      watched: { course, radii: watch.radii },
    });
    await runPool({
      ...{ engine, rehearsal, judge, norm, goal, seed, epsilons, signal, fitted },
      ...{ restarts: restartsOf(plan, stage), watch },
      earlyStop: plan.earlyStop ?? true,
      isStandIn: isStandIn(contender),
      work: assignments(spec, remaining),
      input: classifier.input,
      onSettled: async (outcomes) => {
        for (const outcome of outcomes) showcase.take(outcome);
        await archive.take(index, outcomes);
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
  { left, showcase, archive, tally, course, rehearsal }: Remaining,
): AsyncGenerator<Assignment> {
  const shown = galleryRadius(plan);
  let given = 0;
  for await (const streamed of selection.stream()) {
    const radii = left.get(streamed.index);
    if (radii === undefined) continue;
    // The clean pass has the last word: where labels are not known, they are what it found.
    const image = { ...streamed, label: labels[streamed.index] as number };
    showcase.hold(image);
    await archive.hold(image);
    yield {
      ...{ image, radii },
      exhibited: radii.includes(shown) && showcase.wants(image.index, shown) ? shown : undefined,
      // What was fitted is one thing at each radius: what another one did says nothing of it.
      fallen:
        rehearsal.fit === undefined ? fallenBefore(plan, tally, course, image.index, radii[0] as number) : undefined,
    };
    given += 1;
    if (given === left.size) return;
  }
}

/** What is known of the radii below one, if the image has fallen at any of them. */
function fallenBefore(
  { epsilons }: ExperimentPlan,
  tally: Tally,
  course: Course,
  image: number,
  radius: number,
): Fallen | undefined {
  const epsilonAt = (other: number): number => epsilons[other] as number;
  const smaller = [...epsilons.keys()].filter((other) => epsilonAt(other) < epsilonAt(radius));
  const fallen = tally.fallen(
    image,
    smaller.sort((a, b) => epsilonAt(a) - epsilonAt(b)),
  );
  return fallen && { robust8bit: fallen.robust8bit, predicted: course.predicted(image, fallen.at) };
}

/** Images of which losses are noted, the first of those attacked: what is noted of each goes into the journal. */
const TRACED = 100;

/** The course of the attack is kept up to the radius that the report speaks of. */
function watchOf({ plan, attacked }: MeasureSpec): Watch {
  const { epsilons } = plan;
  const most = epsilons[galleryRadius(plan)] as number;
  const radii = [...epsilons.keys()].filter((radius) => (epsilons[radius] as number) <= most);
  return { radii: new Set(radii), traced: new Set(attacked.slice(0, TRACED)) };
}

/** The main job: every attack on every contender at every radius, to one immutable `Run`. */
import { requireNorm } from '../core/attack.ts';
import { UserError, usageError } from '../core/errors.ts';
import {
  type Cell,
  type Confusion,
  type Distances,
  type GalleryItem,
  type Performance,
  type Perturbations,
  parseRun,
  RUN_SCHEMA,
  type Run,
  type Trace,
  type WorstCase,
} from '../core/run.ts';
import type { SavedImages } from '../core/saved.ts';
import { isRadius, RADIUS } from '../core/threat-model.ts';
import { cellsOf, distancesOf, type Standing, worstCasesOf } from './cells.ts';
import { type CleanRecord, cleanPass } from './clean.ts';
import { confusionsOf, perturbationsOf, tracesOf } from './courses.ts';
import { fitRuleOf } from './fit/fit-images.ts';
import { Fits } from './fit/fits.ts';
import { galleryRadius, galleryRule } from './gallery.ts';
import { selectImages } from './images.ts';
import type { Job } from './job.ts';
import { forgetfulJournal } from './journal/journal.ts';
import { type MeasuredNow, measure } from './measure.ts';
import { watchMemory } from './peak-memory.ts';
import { performanceOf } from './performance.ts';
import {
  type Contender,
  contenderName,
  type ExperimentPlan,
  type Harness,
  mostSteps,
  type PlannedAttack,
} from './plan.ts';
import { type Judge, prepareJudge } from './pool/engine.ts';
import { className, provenanceOf, Stopwatch } from './provenance.ts';
import { sanityChecks } from './sanity/checks.ts';
import { probed } from './sanity/probed.ts';
import { type Findings, probeChecks } from './sanity/probes.ts';
import { measureNaive, NAIVE_RULE, requireUndefended } from './transfer/naive.ts';
import { measureTransfer, requireTransfer, TRANSFER_RULE } from './transfer/transfer.ts';
import type { Known } from './transfer/transfer-matrix.ts';

/**
 * Runs the plan. The same plan gives the same `cells` but for `seconds`, whatever `batch` is and however often it was
 * interrupted and resumed from its journal. Other times stand in `performance` alone.
 *
 * @throws UserError for a plan that cannot be carried out, and for an attack that breaks its contract
 * @throws Interrupted if `harness.signal` is aborted; the journal then holds what was finished
 */
export async function runExperiment(plan: ExperimentPlan, harness: Harness): Promise<Run> {
  requirePlan(plan);
  const journal = harness.journal ?? forgetfulJournal(harness.command);
  const selection = selectImages(plan.dataset, plan.images, plan.seed);
  const parts = { plan, harness, journal, selection, stopwatch: new Stopwatch() };
  const job: Job = { ...parts, fits: new Fits(parts) };
  const cells: Cell[] = [];
  const worstCases: WorstCase[] = [];
  const distances: Distances[] = [];
  const traces: Trace[] = [];
  const perturbations: Perturbations[] = [];
  const confusions: Confusion[] = [];
  const gallery: GalleryItem[] = [];
  const performance: Performance[] = [];
  const found = new Map<Contender, Findings>();
  const saved: SavedImages[] = [];
  const leftOut: number[] = [];
  const networks: Known[] = [];
  let images = 0;
  let skipped: CleanRecord['skipped'] = [];
  for (const contender of plan.contenders) {
    const { standing, items, saved: files, clean, known, findings, speed } = await stand(job, contender);
    found.set(contender, findings);
    performance.push(speed);
    cells.push(...cellsOf(standing, plan));
    worstCases.push(...worstCasesOf(standing, plan));
    distances.push(...distancesOf(standing, plan));
    traces.push(...tracesOf(standing, plan));
    perturbations.push(...perturbationsOf(standing, plan));
    confusions.push(...confusionsOf(standing, plan));
    gallery.push(...items);
    networks.push(known);
    saved.push(...files);
    images = clean.labels.length;
    leftOut.push(images - standing.images);
    skipped = clean.skipped ?? [];
  }
  // Behind a defense it is the same network once more.
  const trainings = plan.contenders.flatMap(({ architecture: { name: arch }, training, record, defended: behind }) =>
    record === undefined || behind !== undefined ? [] : [{ arch, training, record }],
  );
  const { transferEpsilon: epsilon } = plan;
  const transfer = epsilon === undefined ? undefined : await measureTransfer({ ...job, epsilon, networks });
  const defended = await measureNaive({ ...job, networks, cells });
  const run: Run = {
    schema: RUN_SCHEMA,
    id: harness.id,
    command: journal.command,
    config: { ...harness.config },
    provenance: await provenanceOf({
      ...{ plan, harness, selection, images, skipped, leftOut },
      started: journal.started,
      phases: job.stopwatch.phases,
      galleryRule: galleryRule(plan.galleryRows),
      transferRule: transfer && TRANSFER_RULE,
      naiveRule: defended.length === 0 ? undefined : NAIVE_RULE,
      fitRule: await fitRuleOf(plan),
    }),
    architectures: distinctArchitectures(plan.contenders),
    attacks: plan.attacks.map(describe),
    classes: [...plan.dataset.classes],
    cells,
    worstCases,
    ...(distances.length === 0 ? {} : { distances }),
    ...(traces.length === 0 ? {} : { traces }),
    ...(perturbations.length === 0 ? {} : { perturbations }),
    ...(confusions.length === 0 ? {} : { confusions }),
    ...(transfer === undefined ? {} : { transfer }),
    ...(plan.contenders.some((contender) => contender.defended !== undefined)
      ? { defenses: describeDefenses(plan) }
      : {}),
    ...(defended.length === 0 ? {} : { defended }),
    checks: [
      ...sanityChecks(
        cells,
        plan.attacks.map((planned) => ({
          name: planned.attack.name,
          access: planned.attack.access,
          steps: mostSteps(planned),
        })),
        transfer,
        { reported: plan.epsilons[galleryRadius(plan)], trainings },
        defended,
      ),
      ...(plan.sanity === undefined ? [] : probeChecks(plan, found)),
    ],
    gallery,
    performance,
    ...(trainings.length === 0 ? {} : { trainings }),
    ...(harness.saving === undefined ? {} : { saved }),
  };
  return parseRun(run, 'the result');
}

interface Stood {
  readonly standing: Standing;
  readonly items: readonly GalleryItem[];
  readonly saved: readonly SavedImages[];
  readonly clean: CleanRecord;
  readonly findings: Findings;
  readonly known: Known;
  readonly speed: Performance;
}

/** All attacks on one contender. */
async function stand(job: Job, contender: Contender): Promise<Stood> {
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

function describe({ attack: { name, title, paper, access }, stages }: PlannedAttack): Run['attacks'][number] {
  const parts = stages?.map(({ attack, params, restarts }) => ({
    ...{ attack: attack.name, params: { ...params } },
    ...(restarts === undefined ? {} : { restarts }),
  }));
  return { ...{ name, title, paper, access }, ...(parts === undefined ? {} : { stages: parts }) };
}

/** Each once. */
function describeDefenses({ contenders }: ExperimentPlan): NonNullable<Run['defenses']> {
  const all = contenders.flatMap(({ defended }) => defended ?? []);
  return [...new Map(all.map((one) => [one.defense.name, one])).values()].map(({ defense, params }) => {
    const { name, title, paper, adversary = 'the gradient of the defended network' } = defense;
    return { name, title, paper, params: { ...params }, adversary };
  });
}

/** The architectures of the contenders, each once. */
export function distinctArchitectures(contenders: readonly Contender[]): Run['architectures'] {
  return [...new Map(contenders.map(({ architecture }) => [architecture.name, architecture])).values()];
}

/**
 * Refuses a plan that cannot be carried out, or whose run would be meaningless.
 *
 * @throws UserError (usage) naming what is wrong
 */
export function requirePlan(plan: ExperimentPlan): void {
  const { attacks, contenders, epsilons, norm, goal, restarts, batch, galleryEpsilon } = plan;
  const nothing = [
    ['attack', attacks],
    ['network', contenders],
    ['epsilon', epsilons],
  ] as const;
  for (const [what, list] of nothing)
    if (list.length === 0) throw usageError(`no ${what} was given: give at least one`);
  for (const { attack } of attacks) requireNorm(attack, norm);
  requireDistinct(
    'attack',
    attacks.map(({ attack }) => attack.name),
  );
  requireDistinct('network', contenders.map(contenderName));
  requireDistinct('epsilon', epsilons.map(String));
  for (const epsilon of epsilons) {
    if (!isRadius(norm, epsilon)) throw usageError(`epsilon ${epsilon}: ${RADIUS}`);
  }
  for (const [name, value] of Object.entries({ restarts, batch })) {
    if (!(Number.isSafeInteger(value) && value > 0))
      throw usageError(`${name} is ${value}; give a whole number above 0`);
  }
  if (galleryEpsilon !== undefined && !epsilons.includes(galleryEpsilon)) {
    throw usageError(`the gallery's epsilon ${galleryEpsilon} is none of ${epsilons.join(', ')}`);
  }
  requireTransfer(plan);
  requireUndefended(plan);
  for (const { name, planned } of plan.sanity?.probes ?? []) {
    if (planned.attack.fit !== undefined)
      throw usageError(`the probe "${name}": ${planned.attack.name} is fitted first; take another attack`);
  }
  for (const contender of contenders) {
    if (goal.kind !== 'targeted' || goal.target < contender.classifier.classes) continue;
    throw usageError(
      `target ${goal.target}: ${contenderName(contender)} has ${contender.classifier.classes} classes, from 0`,
    );
  }
}

/** @throws UserError (usage) naming what stands twice */
export function requireDistinct(what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw usageError(`${what} ${twice} is given twice; give each once`);
}

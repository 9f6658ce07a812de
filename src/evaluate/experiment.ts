/** The main job: every attack on every contender at every radius, to one immutable `Run`. */
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
import { cellsOf, distancesOf, worstCasesOf } from './cells.ts';
import type { CleanRecord } from './clean.ts';
import { confusionsOf, perturbationsOf, tracesOf } from './courses.ts';
import { fitRuleOf } from './fit/fit-images.ts';
import { Fits } from './fit/fits.ts';
import { galleryRadius, galleryRule } from './gallery.ts';
import { selectImages } from './images.ts';
import type { Job } from './job.ts';
import { forgetfulJournal } from './journal/journal.ts';
import { type Contender, type ExperimentPlan, type Harness, mostSteps, type PlannedAttack } from './plan.ts';
import { provenanceOf } from './provenance.ts';
import { requirePlan } from './require-plan.ts';
import { sanityChecks } from './sanity/checks.ts';
import { type Findings, probeChecks } from './sanity/probes.ts';
import { stand } from './stand.ts';
import { Stopwatch } from './stopwatch.ts';
import { measureNaive, NAIVE_RULE } from './transfer/naive.ts';
import { measureTransfer, TRANSFER_RULE } from './transfer/transfer.ts';
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

function describe({ attack: { name, title, paper, access }, stages, source }: PlannedAttack): Run['attacks'][number] {
  const parts = stages?.map(({ attack, params, restarts }) => ({
    ...{ attack: attack.name, params: { ...params } },
    ...(restarts === undefined ? {} : { restarts }),
  }));
  return {
    ...{ name, title, paper, access },
    ...(parts === undefined ? {} : { stages: parts }),
    ...(source === undefined ? {} : { sha256: source }),
  };
}

/** Each once. */
function describeDefenses({ contenders }: ExperimentPlan): NonNullable<Run['defenses']> {
  const all = contenders.flatMap(({ defended }) => defended ?? []);
  return [...new Map(all.map((one) => [one.defense.name, one])).values()].map(({ defense, params, source }) => {
    const { name, title, paper, adversary = 'the gradient of the defended network' } = defense;
    return {
      name,
      title,
      paper,
      params: { ...params },
      adversary,
      ...(source === undefined ? {} : { sha256: source }),
    };
  });
}

/** The architectures of the contenders, each once. */
export function distinctArchitectures(contenders: readonly Contender[]): Run['architectures'] {
  return [...new Map(contenders.map(({ architecture }) => [architecture.name, architecture])).values()];
}

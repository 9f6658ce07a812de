/** `--dry-run`: what a run would do, and the most it could cost: in evaluations of its networks, and about how long. */
import type { Prepare } from '../../compile/types.ts';
import { blame } from '../../core/blame.ts';
import { elements } from '../../core/draws.ts';
import { diameterOf } from '../../core/threat-model.ts';
import {
  type Contender,
  contenderName,
  type ExperimentPlan,
  type PlannedAttack,
  restartsOf,
  stagesOf,
  undefendedOf,
} from '../../evaluate/plan.ts';
import { type Rehearsal, rehearse, stepsAt, triesAt } from '../../evaluate/rehearse/rehearse.ts';
import { duration, radius } from '../../report/format.ts';
import { type Speed, speedOf } from './speed.ts';

/** Per-image evaluations of a network. */
interface Evaluations {
  readonly gradients: number;
  /** Forward passes that no gradient at the same point includes. */
  readonly forwards: number;
}

const NOTHING: Evaluations = { gradients: 0, forwards: 0 };

interface Estimate extends Evaluations {
  readonly attack: string;
  /** Tries at one image and radius, over all networks. */
  readonly items: number;
  /** The most time that it takes, about; absent where nothing was measured. */
  readonly seconds?: number;
}

/**
 * Every attack's work if no image is ever fooled or misclassified. One after the other: a rehearsal changes the backend, and
 * changes it back.
 */
async function estimate(plan: ExperimentPlan, speeds: Speeds | undefined): Promise<Estimate[]> {
  const estimates: Estimate[] = [];
  for (const planned of plan.attacks) {
    const { epsilons, transferEpsilon, contenders } = plan;
    const { name, access } = planned.attack;
    const transferred = transferEpsilon === undefined || access === 'none' ? [] : [transferEpsilon];
    const passes = [epsilons, transferred];
    estimates.push(await estimateAttack(plan, { planned, attack: name, networks: contenders, passes }, speeds));
    // Images that are made against a network are tried behind its defenses: a pass for each radius.
    const networks = contenders.filter((one) => contenders.some((other) => isDefendedForm(other, one)));
    if (networks.length === 0 || access === 'none') continue;
    const naive = { planned, attack: `${name}, naive`, networks, passes: epsilons.map((epsilon) => [epsilon]) };
    estimates.push(await estimateAttack(plan, naive, speeds));
  }
  return estimates;
}

const isDefendedForm = (contender: Contender, undefended: Contender): boolean =>
  contender.defended !== undefined && undefendedOf(contender, [undefended]) !== undefined;

interface Passes {
  readonly planned: PlannedAttack;
  /** What the table calls it. */
  readonly attack: string;
  /** The networks that it is made against. */
  readonly networks: readonly Contender[];
  /** The radii of each pass over the images. */
  readonly passes: readonly (readonly number[])[];
}

async function estimateAttack(plan: ExperimentPlan, of: Passes, speeds: Speeds | undefined): Promise<Estimate> {
  const { planned } = of;
  const networks = of.networks.length;
  const { dataset, images, norm, goal } = plan;
  const classifier = { input: dataset.input, classes: dataset.classes.length };
  const times = images * networks;
  const passes = of.passes.filter((radii) => radii.length > 0);
  let [items, gradients, forwards] = [0, 0, 0];
  for (const stage of stagesOf(planned)) {
    const { attack, params } = stage;
    const rehearsal = await blame(stage, 'cannot be rehearsed', () =>
      rehearse({ attack, params, classifier, norm, targeted: goal.kind === 'targeted' }),
    );
    // One search of minimum norm serves all radii.
    const searchesAt = (radii: readonly number[]): readonly number[] =>
      rehearsal.minimumNorm ? [diameterOf(norm, elements(dataset.input))] : radii;
    const searches = passes.flatMap(searchesAt);
    // Classes of the attack's own choice take one look at the clean image in each pass, for all its radii.
    if (rehearsal.targets !== undefined) forwards += times * passes.length;
    for (const epsilon of searches) {
      const fit = fitCost(rehearsal, epsilon, plan);
      const tries = triesAt(rehearsal, epsilon, restartsOf(plan, stage));
      const each = tryCost(rehearsal, epsilon);
      items += times * tries;
      gradients += networks * fit.gradients + times * tries * each.gradients;
      forwards += networks * fit.forwards + times * tries * each.forwards;
    }
  }
  const seconds = speeds && secondsOf({ gradients, forwards }, of, speeds);
  return { attack: of.attack, items, gradients, forwards, ...(seconds === undefined ? {} : { seconds }) };
}

type Speeds = ReadonlyMap<Contender, Speed>;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Each network bears the same share of the evaluations, and each stage is compiled for each. */
function secondsOf({ gradients, forwards }: Evaluations, { planned, networks }: Passes, speeds: Speeds): number {
  const [ofGradients, ofForwards] = [gradients / networks.length, forwards / networks.length];
  const stages = stagesOf(planned);
  return sum(
    networks.map((network) => {
      const { forward, gradient, compileForward, compileGradient } = speeds.get(network) ?? UNMEASURED;
      const compile = sum(
        stages.map(({ attack }) => (attack.access === 'gradient' ? compileGradient : compileForward)),
      );
      return compile + ofGradients * gradient + ofForwards * forward;
    }),
  );
}

const UNMEASURED: Speed = { forward: 0, gradient: 0, compileForward: 0, compileGradient: 0 };

/** The small attacks of the sanity panel, each on as many images as it gets. */
async function estimateSanity(plan: ExperimentPlan, speeds: Speeds): Promise<number> {
  const { sanity, contenders, galleryEpsilon = 1 } = plan;
  if (sanity === undefined) return 0;
  const few = { ...plan, images: Math.min(plan.images, sanity.images), restarts: 1 };
  const seconds: number[] = [];
  for (const { planned, name } of sanity.probes) {
    const probed = { planned, attack: name, networks: contenders, passes: [[galleryEpsilon]] };
    seconds.push((await estimateAttack(few, probed, speeds)).seconds ?? 0);
  }
  return sum(seconds);
}

/** Every image without attack, once. */
const cleanSeconds = ({ images }: ExperimentPlan, speeds: Speeds): number =>
  sum([...speeds.values()].map(({ forward, compileForward }) => compileForward + images * forward));

/** What one fit costs, if the network knows all of its images and every pass and step is made. */
function fitCost(rehearsal: Rehearsal, epsilon: number, { fitDataset, images }: ExperimentPlan): Evaluations {
  const { fit } = rehearsal;
  if (fit === undefined) return NOTHING;
  const { batch, steps, enough } = fit;
  const passes = epsilon === 0 ? 0 : fit.passes;
  const seen = Math.min(fit.images, fitDataset?.size ?? images);
  const learning = evaluations(fit, passes * Math.ceil(seen / batch) * steps);
  // Where fooling enough ends the passes, it is tried out after each but the last.
  const trying = enough === undefined || passes === 0 ? NOTHING : tryCost(rehearsal, epsilon);
  const tried = (passes - 1) * seen;
  return {
    gradients: batch * learning.gradients + tried * trying.gradients,
    forwards: batch * learning.forwards + tried * trying.forwards,
  };
}

/** What one try costs at one image: where it ends is looked at once more, by the verification. */
function tryCost(rehearsal: Rehearsal, epsilon: number): Evaluations {
  const { gradients, forwards } = evaluations(rehearsal, stepsAt(rehearsal, epsilon));
  return { gradients, forwards: forwards + 1 };
}

/** What a beginning and so many steps ask of the network. */
const evaluations = ({ init, step }: Pick<Rehearsal, 'init' | 'step'>, steps: number): Evaluations => ({
  gradients: init.gradients + steps * step.gradients,
  forwards: init.forwards + steps * step.forwards,
});

export interface Forecast {
  readonly networks: readonly string[];
  readonly dataset: string;
  readonly split: string;
  readonly images: number;
  readonly norm: string;
  readonly epsilons: readonly number[];
  readonly attacks: readonly Estimate[];
  /** About the most seconds that it takes, compiling included. */
  readonly seconds?: {
    readonly clean: number;
    readonly attacks: number;
    readonly sanity: number;
    readonly together: number;
  };
}

/**
 * What the plan would do.
 *
 * @param prepare - with it each network is timed for a moment, and the forecast says how long the run takes at most, about
 */
export async function dryRun(plan: ExperimentPlan, prepare?: Prepare): Promise<Forecast> {
  const { contenders, dataset, images, norm, epsilons, batch } = plan;
  let speeds: Map<Contender, Speed> | undefined;
  if (prepare !== undefined) {
    speeds = new Map();
    for (const contender of contenders) speeds.set(contender, await speedOf(contender, prepare, batch));
  }
  const attacks = await estimate(plan, speeds);
  return {
    networks: contenders.map(contenderName),
    ...{ dataset: dataset.name, split: dataset.split, images, norm, epsilons, attacks },
    ...(speeds === undefined ? {} : { seconds: await secondsTogether(plan, attacks, speeds) }),
  };
}

async function secondsTogether(
  plan: ExperimentPlan,
  estimates: readonly Estimate[],
  speeds: Speeds,
): Promise<NonNullable<Forecast['seconds']>> {
  const clean = cleanSeconds(plan, speeds);
  const attacks = sum(estimates.map(({ seconds = 0 }) => seconds));
  const sanity = await estimateSanity(plan, speeds);
  return { clean, attacks, sanity, together: clean + attacks + sanity };
}

/** The time in a sentence; of several attacks, also that of each. */
function timeInWords(
  { attacks }: Forecast,
  { attacks: _, clean, sanity, together }: NonNullable<Forecast['seconds']>,
): string {
  const each = [
    ...attacks.map(({ attack, seconds = 0 }) => `${attack} ${duration(seconds)}`),
    ...(sanity === 0 ? [] : [`sanity checks ${duration(sanity)}`]),
    `without attack ${duration(clean)}`,
  ];
  return [
    `takes     about ${duration(together)} at most on this machine, as it is now: ${each.join(', ')}`,
    '          an upper bound: every attack takes all its steps on every image; most images fall before',
  ].join('\n');
}

const COUNTS = ['items', 'gradients', 'forwards'] as const;

/** The same as text. */
export function forecastInWords(forecast: Forecast): string {
  const { networks, dataset, split, images, norm, epsilons, attacks, seconds } = forecast;
  const number = (n: number): string => n.toLocaleString('en-US');
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(20))).join('');
  const total = (pick: (row: Estimate) => number): string => number(attacks.reduce((sum, row) => sum + pick(row), 0));
  return [
    `networks  ${networks.join(', ')}`,
    `images    ${number(images)} of ${dataset} ${split}`,
    `epsilons  ${epsilons.map(radius).join(', ')} in ${norm}`,
    '',
    line(['attack', 'work items', 'gradients at most', 'forwards at most']),
    ...attacks.map(({ attack, ...row }) => line([attack, ...COUNTS.map((count) => number(row[count]))])),
    line(['together', ...COUNTS.map((count) => total((row) => row[count]))]),
    ...(seconds === undefined ? [] : ['', timeInWords(forecast, seconds)]),
  ].join('\n');
}

/** `--dry-run`: what a run would do, and the most it could cost. */
import { elements } from '../../core/draws.ts';
import { diameterOf } from '../../core/threat-model.ts';
import { blame } from '../../evaluate/blame.ts';
import {
  type Contender,
  contenderName,
  type ExperimentPlan,
  type PlannedAttack,
  restartsOf,
  stagesOf,
  undefendedOf,
} from '../../evaluate/plan.ts';
import { type Rehearsal, rehearse, stepsAt, triesAt } from '../../evaluate/rehearse.ts';
import { radius } from '../../report/format.ts';

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
}

/**
 * Every attack's work if no image is ever fooled or misclassified. One after the other: a rehearsal changes the backend, and
 * changes it back.
 */
async function estimate(plan: ExperimentPlan): Promise<Estimate[]> {
  const estimates: Estimate[] = [];
  for (const planned of plan.attacks) {
    const { epsilons, transferEpsilon, contenders } = plan;
    const { name, access } = planned.attack;
    const transferred = transferEpsilon === undefined || access === 'none' ? [] : [transferEpsilon];
    const passes = [epsilons, transferred];
    estimates.push(await estimateAttack(plan, { planned, attack: name, networks: contenders.length, passes }));
    // Images that are made against a network are tried behind its defenses: a pass for each radius.
    const networks = contenders.filter((one) => contenders.some((other) => isDefendedForm(other, one))).length;
    if (networks === 0 || access === 'none') continue;
    const naive = { planned, attack: `${name}, naive`, networks, passes: epsilons.map((epsilon) => [epsilon]) };
    estimates.push(await estimateAttack(plan, naive));
  }
  return estimates;
}

const isDefendedForm = (contender: Contender, undefended: Contender): boolean =>
  contender.defended !== undefined && undefendedOf(contender, [undefended]) !== undefined;

interface Passes {
  readonly planned: PlannedAttack;
  /** What the table calls it. */
  readonly attack: string;
  /** How many networks it is made against. */
  readonly networks: number;
  /** The radii of each pass over the images. */
  readonly passes: readonly (readonly number[])[];
}

async function estimateAttack(plan: ExperimentPlan, of: Passes): Promise<Estimate> {
  const { planned, networks } = of;
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
  return { attack: of.attack, items, gradients, forwards };
}

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
}

/** What the plan would do. */
export async function dryRun(plan: ExperimentPlan): Promise<Forecast> {
  const { contenders, dataset, images, norm, epsilons } = plan;
  return {
    networks: contenders.map(contenderName),
    ...{ dataset: dataset.name, split: dataset.split, images, norm, epsilons },
    attacks: await estimate(plan),
  };
}

const COUNTS = ['items', 'gradients', 'forwards'] as const;

/** The same as text. */
export function forecastInWords({ networks, dataset, split, images, norm, epsilons, attacks }: Forecast): string {
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
  ].join('\n');
}

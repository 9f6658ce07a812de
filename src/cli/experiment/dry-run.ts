/** `--dry-run`: what a run would do, and the most it could cost. */
import { elements } from '../../core/draws.ts';
import { diameterOf } from '../../core/threat-model.ts';
import { blame } from '../../evaluate/blame.ts';
import { contenderName, type ExperimentPlan, type PlannedAttack, restartsOf, stagesOf } from '../../evaluate/plan.ts';
import { type Rehearsal, rehearse, stepsAt, triesAt } from '../../evaluate/rehearse.ts';
import { radius } from '../../report/format.ts';

interface Estimate {
  readonly attack: string;
  /** Tries at one image and radius, over all networks. */
  readonly items: number;
  /** Per-image gradient evaluations if no image is ever fooled or misclassified. */
  readonly gradients: number;
}

/** An upper bound of every attack's work. */
const estimate = (plan: ExperimentPlan): Promise<Estimate[]> =>
  Promise.all(plan.attacks.map((planned) => estimateAttack(plan, planned)));

async function estimateAttack(plan: ExperimentPlan, planned: PlannedAttack): Promise<Estimate> {
  const { contenders, dataset, images, epsilons, norm, goal, transferEpsilon } = plan;
  const classifier = { input: dataset.input, classes: dataset.classes.length };
  const times = images * contenders.length;
  let [items, gradients] = [0, 0];
  for (const stage of stagesOf(planned)) {
    const { attack, params } = stage;
    const rehearsal = await blame(stage, 'cannot be rehearsed', () =>
      rehearse({ attack, params, classifier, norm, targeted: goal.kind === 'targeted' }),
    );
    // One search of minimum norm serves all radii.
    const searchesAt = (radii: readonly number[]): readonly number[] =>
      rehearsal.minimumNorm && radii.length > 0 ? [diameterOf(norm, elements(dataset.input))] : radii;
    const transferred = transferEpsilon === undefined || planned.attack.access === 'none' ? [] : [transferEpsilon];
    const searches = [...searchesAt(epsilons), ...searchesAt(transferred)];
    for (const epsilon of searches) gradients += contenders.length * fitCost(rehearsal, epsilon, plan);
    for (const cost of searches.map((epsilon) => costAt(rehearsal, epsilon, restartsOf(plan, stage)))) {
      items += times * cost.tries;
      gradients += times * cost.gradients;
    }
  }
  return { attack: planned.attack.name, items, gradients };
}

/** Gradients of one fit, if the network knows all of its images and every pass and step is made. */
function fitCost({ fit }: Rehearsal, epsilon: number, { fitDataset, images }: ExperimentPlan): number {
  if (fit === undefined) return 0;
  const { batch, passes, steps, init, step } = fit;
  const seen = Math.min(fit.images, fitDataset?.size ?? images);
  const batches = epsilon === 0 ? 0 : passes * Math.ceil(seen / batch);
  return batch * (init.gradients + batches * steps * step.gradients);
}

function costAt(rehearsal: Rehearsal, epsilon: number, restarts: number) {
  const { init, step } = rehearsal;
  const tries = triesAt(rehearsal, epsilon, restarts);
  return { tries, gradients: tries * (init.gradients + stepsAt(rehearsal, epsilon) * step.gradients) };
}

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
    line(['attack', 'work items', 'gradients at most']),
    ...attacks.map(({ attack, items, gradients }) => line([attack, number(items), number(gradients)])),
    line(['together', total(({ items }) => items), total(({ gradients }) => gradients)]),
  ].join('\n');
}

/** Which images attacks are fitted on: those of the training split, or where there is none, the run's own. */
import type { Attack } from '../../core/attack.ts';
import type { Dataset } from '../../core/dataset.ts';
import { type SelectedImage, type Selection, selectImages } from '../images.ts';
import { type ExperimentPlan, type PlannedStage, stagesOf, stopIfAborted } from '../plan.ts';
import type { Judge } from '../pool/engine.ts';
import { argMax, judgeAll } from '../pool/verify.ts';

type FitPlan = Pick<ExperimentPlan, 'dataset' | 'images' | 'seed' | 'fitDataset'>;

/** The first `images` of the training split in its seeded order; of the run's own images, no more than those. */
const fitSelection = ({ dataset, images: own, seed, fitDataset }: FitPlan, images: number): Selection =>
  fitDataset === undefined
    ? selectImages(dataset, Math.min(images, own), seed)
    : selectImages(fitDataset, images, seed);

/** The images that a network classifies correctly, and are not of the target class: with the labels that count. */
export interface FitImages {
  readonly size: number;
  /** From the first on, at every call. */
  stream(): AsyncIterable<SelectedImage>;
}

/**
 * Looks for the images that an attack on a network is fitted on.
 *
 * @param images - among how many
 * @throws Interrupted if the signal is aborted
 */
export async function fitImages(
  plan: FitPlan & Pick<ExperimentPlan, 'goal'>,
  judge: Judge,
  images: number,
  signal: AbortSignal | undefined,
): Promise<FitImages> {
  const selection = fitSelection(plan, images);
  const labels = new Map<number, number>();
  const isKnown = (plan.fitDataset ?? plan.dataset).labels !== 'predicted';
  let batch: SelectedImage[] = [];
  const look = async (): Promise<void> => {
    stopIfAborted(signal);
    const logits = await judgeAll(
      judge,
      batch.map(({ pixels }) => pixels),
    );
    batch.forEach(({ index, label }, i) => {
      const predicted = argMax(logits[i] as Float32Array);
      const isTarget = plan.goal.kind === 'targeted' && plan.goal.target === predicted;
      if (!isTarget && (!isKnown || predicted === label)) labels.set(index, predicted);
    });
    batch = [];
  };
  for await (const image of selection.stream()) {
    batch.push(image);
    if (batch.length === judge.batch) await look();
  }
  await look();
  return {
    size: labels.size,
    stream: async function* () {
      for await (const image of selection.stream()) {
        const label = labels.get(image.index);
        if (label !== undefined) yield { ...image, label };
      }
    },
  };
}

/** The stages of a plan that are fitted first. */
const fittedStages = ({ attacks }: Pick<ExperimentPlan, 'attacks'>) =>
  attacks
    .flatMap(stagesOf)
    .flatMap(({ attack, params }: PlannedStage) =>
      attack.fit === undefined ? [] : [{ attack, params, fit: attack.fit }],
    );

/** Whether a plan has any. */
export const needsFit = (plan: Pick<ExperimentPlan, 'attacks'>): boolean => fittedStages(plan).length > 0;

/** What attacks are fitted on, in words; undefined if none is fitted. */
export async function fitRuleOf(plan: FitPlan & Pick<ExperimentPlan, 'attacks'>): Promise<string | undefined> {
  const rules: string[] = [];
  for (const { attack, params, fit } of fittedStages(plan)) rules.push(await ruleOf(plan, attack, fit.images(params)));
  return rules.length === 0 ? undefined : [...new Set(rules)].join('; ');
}

async function ruleOf(plan: FitPlan, { name }: Pick<Attack, 'name'>, images: number): Promise<string> {
  const selection = fitSelection(plan, images);
  const { name: dataset, split }: Dataset = plan.fitDataset ?? plan.dataset;
  const source = plan.fitDataset === undefined ? "the run's own images" : `${dataset} ${split}`;
  return (
    `${name}: once for each network and radius, on those of ${selection.rule(selection.size, 0)} of ${source} that the ` +
    `network classifies correctly (SHA-256 ${await selection.hash()})`
  );
}

/** What a training is: everything that decides the final weights, and nothing else. */
import { createHash } from 'node:crypto';
import { type Attack, codeOf, type Ensemble } from '../core/attack.ts';
import type { Dataset } from '../core/dataset.ts';
import type { Defense } from '../core/defense.ts';
import { resolveParams } from '../core/params.ts';
import type { Norm } from '../core/threat-model.ts';
import type { Versions } from '../core/versions.ts';
import type { NetworkSpec } from '../models/network.ts';
import type { ChosenAugmentation } from './augment.ts';
import type { ChannelStatistics } from './channel-statistics.ts';
import { scheduleOf } from './schedule.ts';
import type { Start } from './start.ts';

/** What is trained, on what, and how: all that decides the weights but the means. */
export interface TrainingPlan {
  readonly network: NetworkSpec;
  /** The training split; the validation images are held out of it. */
  readonly dataset: Dataset;
  /** One with a `trainingLoss`. */
  readonly defense: Defense;
  /** The file of the user's own that it comes from, as the user named it. */
  readonly file?: string;
  /** The defense's parameters, laid over its defaults. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The registered attacks by name: the defense and the validation find theirs here. */
  readonly attacks: ReadonlyMap<string, Attack | Ensemble>;
  /** The ball that is validated against, and trained against if the defense is adversarial; radius in pixel units. */
  readonly norm: Norm;
  readonly epsilon: number;
  readonly epochs: number;
  readonly batch: number;
  /** The peak learning rate. */
  readonly rate: number;
  readonly momentum: number;
  /** L2, as torch.optim.SGD's. */
  readonly weightDecay: number;
  /** The share of a label that is spread evenly over all classes. */
  readonly labelSmoothing: number;
  /** The longest gradient, of all weights together, that an update uses as it is; null for any. */
  readonly clip: number | null;
  readonly schedule: { readonly name: string; readonly params: Readonly<Record<string, unknown>> };
  /** Decides the first weights, the order of the images and all noise. */
  readonly seed: number;
  readonly validation: ValidationPlan;
  /** Decay of the average of the weights that is validated and saved; null for the weights themselves. */
  readonly ema: number | null;
  /** Which epoch is saved; null for the best of a training against an adversary, else the last. */
  readonly keep: 'last' | 'best' | null;
  /** How many epochs in a row may bring nothing better before the training ends; null for any number. */
  readonly patience: number | null;
  /** The watch against catastrophic overfitting; null for none. */
  readonly guard: GuardPlan | null;
  /** In the order in which they are applied. */
  readonly augmentations: readonly ChosenAugmentation[];
  /** Of the training images, for augmentations that need them. */
  readonly statistics?: ChannelStatistics | undefined;
  /** A trained network to go on from. */
  readonly start?: Start | undefined;
}

export interface ValidationPlan {
  /** How many images are held out; 0 validates nothing. */
  readonly images: number;
  /** The registered attack whose last iterate robust accuracy is counted from, and its parameters. */
  readonly attack: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface GuardPlan {
  /** How many of the held-out images it looks at, at most. */
  readonly images: number;
  /** A registered attack with the parameters `steps`, `step` and `random`, and its parameters for several steps. */
  readonly attack: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The recipe of the bundled checkpoints, for what a caller leaves open. */
export const TRAINING_DEFAULTS = {
  norm: 'Linf',
  epochs: 4,
  batch: 128,
  rate: 0.1,
  momentum: 0.9,
  weightDecay: 5e-4,
  labelSmoothing: 0,
  clip: null,
  schedule: { name: 'linear', params: {} },
  seed: 0,
  validation: { images: 500, attack: 'pgd', params: { steps: 10 } },
  ema: null,
  keep: null,
  patience: null,
  guard: { images: 128, attack: 'pgd', params: { steps: 5 } },
  augmentations: [],
} as const satisfies Partial<TrainingPlan>;

/** What a network trained by the plan is called in file names and reports: `standard`, `adversarial`. */
export const trainingName = ({ defense }: TrainingPlan): string => defense.training ?? defense.name;

/** Whether it trains against an adversary: only then is robust accuracy what it is after. */
export const isAdversarial = ({ defense }: TrainingPlan): boolean => defense.adversarial === true;

/**
 * Whether the best epoch is saved. Of adversarial trainings it is unless told otherwise: there the last epoch may be far from
 * it (Rice et al. 2020), and those images that tell which it is are held out in any case. Other trainings end where their
 * schedule does, as the papers' do.
 */
export const keepsBest = (plan: TrainingPlan): boolean =>
  plan.validation.images > 0 && (plan.keep ?? (isAdversarial(plan) ? 'best' : 'last')) === 'best';

/**
 * How often each batch is used.
 *
 * @throws UserError (usage) for parameters that the defense does not accept
 */
export const replaysOf = ({ defense, params }: TrainingPlan): number =>
  defense.replays?.(resolveParams(defense.name, defense.params, params)) ?? 1;

/** The plan as plain JSON, by dotted names: equal records give equal weights, bit for bit, on the same machine. */
export type PlanRecord = Readonly<Record<string, unknown>>;

/** What carries a plan out, as far as it decides the weights. */
export interface Means {
  /** What computes, in words: `onnx-cpu`. */
  readonly backend: string;
  readonly versions: Versions;
}

/**
 * Everything that decides the final weights, defaults filled in. Code is told apart by versions, by commit, and by the text
 * of the functions of defense, attacks and augmentation: not by what they import, nor by what makes a commit `-dirty`.
 */
export async function planRecord(plan: TrainingPlan, { backend, versions }: Means): Promise<PlanRecord> {
  const { network, dataset, defense, norm, epsilon, epochs, batch, rate, momentum, weightDecay, seed } = plan;
  const { labelSmoothing, clip } = plan;
  return flatten({
    network,
    dataset: { name: dataset.name, split: dataset.split, sha256: await dataset.hash() },
    defense: {
      name: defense.name,
      adversarial: isAdversarial(plan),
      ...resolveParams(defense.name, defense.params, plan.params),
      code: digest(codeOfTraining(defense)),
    },
    attacks: Object.fromEntries(
      [...plan.attacks].map(([name, attack]) => [
        name,
        { ...resolveParams(name, attack.params), code: digest(codeOf(attack)) },
      ]),
    ),
    norm,
    epsilon,
    epochs,
    batch,
    rate,
    momentum,
    weightDecay,
    labelSmoothing,
    clip,
    schedule: { name: plan.schedule.name, ...scheduleOf(plan.schedule.name, plan.schedule.params).params },
    seed,
    validation: plan.validation,
    ...{ ema: plan.ema, keep: plan.keep, patience: plan.patience, guard: plan.guard },
    augmentations: plan.augmentations.map(({ augmentation: { name, apply }, params }) => ({
      ...{ name, ...params },
      code: digest([String(apply)]),
    })),
    ...(plan.statistics === undefined ? {} : { statistics: plan.statistics }),
    ...(plan.start === undefined ? {} : { start: { sha256: plan.start.sha256, freeze: plan.start.freeze } }),
    backend,
    versions,
  });
}

/** The text of all of a defense that decides weights. */
const codeOfTraining = ({ trainingLoss, replays, memory, remember, perturbWeights }: Defense): string[] =>
  [trainingLoss, replays, memory, remember, perturbWeights].filter((part) => part !== undefined).map(String);

/** Enough of a SHA-256 to tell two texts apart, and short enough to be shown. */
const digest = (texts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 16);

function flatten(value: unknown, path = ''): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return { [path]: value };
  return Object.assign({}, ...Object.entries(value).map(([k, v]) => flatten(v, path === '' ? k : `${path}.${k}`)));
}

/** `rate was 0.1 and is 0.05`, for the first entry in which two records differ; undefined if there is none. */
export function planDifference(before: PlanRecord, now: PlanRecord): string | undefined {
  const words = (value: unknown) => (value === undefined ? 'absent' : JSON.stringify(value));
  const name = [...new Set([...Object.keys(before), ...Object.keys(now)])].find(
    (key) => words(before[key]) !== words(now[key]),
  );
  return name === undefined ? undefined : `${name} was ${words(before[name])} and is ${words(now[name])}`;
}

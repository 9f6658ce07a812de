/** What `runCertification` is asked to do, and what it tells meanwhile. */
import type { Dataset } from '../core/dataset.ts';
import { UserError, usageError } from '../core/errors.ts';
import type { TrainingRecord } from '../core/training-record.ts';
import { selectImages } from '../evaluate/images.ts';
import { factParts, type Parts } from '../evaluate/journal/parts.ts';
import { type Contender, contenderName, type Harness } from '../evaluate/plan.ts';
import { requireDistinct } from '../evaluate/require-plan.ts';
import { largestRadius } from './smoothing.ts';

/** Which networks are certified on which images, at which levels of noise, and how surely. */
export interface CertificationPlan {
  readonly contenders: readonly Contender[];
  readonly dataset: Dataset;
  /** How many images; more than the dataset holds means all of them. */
  readonly images: number;
  /**
   * Standard deviations of the noise, in pixel units: every network is certified at each. Null: each network at the one that it
   * was trained with, if its checkpoint tells.
   */
  readonly sigmas: readonly number[] | null;
  /** Noisy copies of an image by which its class is chosen: the paper's n₀. */
  readonly selectionSamples: number;
  /** Noisy copies by which the probability of that class is bounded: the paper's n. */
  readonly samples: number;
  /** The probability with which the radius of an image may be too large. */
  readonly alpha: number;
  readonly seed: number;
  /** Copies in one forward pass. Changes speed and memory, never a result. */
  readonly batch: number;
}

/** With what it is carried out, and who is told. */
export interface CertificationHarness extends Omit<Harness, 'onProgress' | 'saving'> {
  readonly onProgress?: (event: CertificationEvent) => void;
}

/** An image is done. */
export interface CertificationEvent {
  /** `vgg16/randomized-smoothing` */
  readonly contender: string;
  readonly sigma: number;
  readonly done: number;
  readonly total: number;
  /** Share of what is done that is certified at some radius, with the right class. */
  readonly accuracy: number;
}

/** The paper's choices, where nobody says; fewer copies than its 100,000. */
export const CERTIFICATION_DEFAULTS = {
  sigmas: null,
  selectionSamples: 100,
  samples: 10_000,
  alpha: 0.001,
  seed: 0,
  batch: 64,
} as const satisfies Partial<CertificationPlan>;

/** The level of noise where nobody says one, neither the user nor the checkpoint, and the largest that is taken for one. */
export const [USUAL_SIGMA, LARGEST_SIGMA] = [0.25, 100];

/** The levels of noise at which a network is certified, in pixel units. */
export const sigmasOf = ({ sigmas }: Pick<CertificationPlan, 'sigmas'>, { record }: Contender): readonly number[] =>
  sigmas ?? [trainedSigma(record) ?? USUAL_SIGMA];

/** The noise that a network has seen in its training; undefined if there was none, or its checkpoint does not tell. */
function trainedSigma(record: TrainingRecord | undefined): number | undefined {
  if (record?.defense.name !== 'randomized-smoothing') return undefined;
  const { sigma } = record.defense.params;
  return typeof sigma === 'number' && sigma > 0 && sigma <= LARGEST_SIGMA ? sigma : undefined;
}

/**
 * Refuses a plan that cannot be carried out, or could certify nothing.
 *
 * @throws UserError naming what is wrong
 */
export function requireCertifiable(plan: CertificationPlan): void {
  const { contenders, sigmas, alpha, samples, selectionSamples, batch, dataset } = plan;
  if (contenders.length === 0) throw usageError('no network was given: give at least one');
  if (sigmas?.length === 0) throw usageError('no sigma was given: give at least one');
  requireDistinct('network', contenders.map(contenderName));
  requireDistinct('sigma', (sigmas ?? []).map(String));
  for (const sigma of sigmas ?? []) {
    if (!(sigma > 0 && Number.isFinite(sigma))) throw usageError(`sigma ${sigma}: give a number above 0`);
  }
  if (!(alpha > 0 && alpha < 1)) throw usageError(`alpha ${alpha}: give a probability between 0 and 1, such as 0.001`);
  for (const [name, value] of Object.entries({ samples, selectionSamples, batch })) {
    if (!(Number.isSafeInteger(value) && value > 0 && value < 2 ** 32))
      throw usageError(`${name} is ${value}; give a whole number above 0`);
  }
  if (largestRadius(samples, { sigma: 1, alpha }) === 0) {
    const least = Math.floor(Math.log2(1 / alpha)) + 1;
    throw usageError(`${samples} samples can certify nothing at alpha ${alpha}: give ${least} or more`);
  }
  if (dataset.labels === 'predicted') {
    throw new UserError(
      `${dataset.name} says nothing of its images' classes, and certified accuracy needs the true ones: ` +
        'sort them into class folders',
    );
  }
}

/** What decides the certificates, hashed thing by thing, as `journalParts` does it for experiments. */
export async function certificationParts(
  { contenders, dataset, images, sigmas, selectionSamples, samples, alpha, seed }: CertificationPlan,
  { backend, versions }: Pick<CertificationHarness, 'backend' | 'versions'>,
): Promise<Parts> {
  const { name, split, labels, input } = dataset;
  return factParts({
    'the kind of run': 'randomized smoothing',
    'the version of the program or its packages': versions,
    'the backend': backend,
    'the networks': contenders.map((contender) => [contenderName(contender), contender.sha256]),
    'the dataset': [name, split, labels, input, await selectImages(dataset, images, seed).hash()],
    'the number of images': images,
    'the levels of noise': contenders.map((contender) => sigmasOf({ sigmas }, contender)),
    'the number of samples': [selectionSamples, samples],
    'the probability of error': alpha,
    'the seed': seed,
  });
}

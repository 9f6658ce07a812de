/** A network: an architecture at one size, with weights and its normalisation. */
import type { Noise } from '../core/ball.ts';
import type { Classifier, ImageShape, Normalisation } from '../core/classifier.ts';
import type { Dataset } from '../core/dataset.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { tf } from '../tf.ts';
import { classifierOf, normalise } from './classifier.ts';
import { initialise } from './initialise.ts';
import { findArchitecture } from './registry.ts';
import { countParameters } from './weights.ts';

/** All that decides a network but its weights. */
export interface NetworkSpec {
  readonly arch: string;
  readonly variant: string;
  /** Share of the paper's channels. */
  readonly width: number;
  readonly input: ImageShape;
  readonly classes: number;
  readonly normalisation: Normalisation;
}

/** A network with its weights: layers to train, and a classifier to attack. */
export interface Network {
  readonly spec: NetworkSpec;
  /** Normalised images to logits. */
  readonly model: tf.LayersModel;
  /** The same layers with the auxiliary classifiers that some architectures have while training; else the model itself. */
  readonly trained: tf.LayersModel;
  readonly classifier: Classifier;
  /** How many numbers are trained. */
  readonly parameters: number;
  /** Frees all weights. */
  dispose(): void;
}

/**
 * The small form of an architecture for a dataset's images, at its usual width. Pixels stay in [0,1]: the first batch norm
 * does what a normalisation would.
 *
 * @throws UserError (usage) for an unknown architecture
 */
export function smallSpec(arch: string, { input, classes }: Pick<Dataset, 'input' | 'classes'>): NetworkSpec {
  return specOf(arch, 'small', input, classes.length);
}

/**
 * A variant of an architecture at its usual width, with the normalisation that its published weights want.
 *
 * @throws UserError (usage) for an unknown architecture or variant
 */
export function specOf(arch: string, variant: string, input: ImageShape, classes: number): NetworkSpec {
  const { variants } = findArchitecture(arch);
  const found = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
  if (found === undefined) throw unknownName('variant', variant, Object.keys(variants));
  const { width, normalisation } = found;
  return { arch, variant, width, input, classes, normalisation: normalisation ?? asTheyAre(input[2]) };
}

const asTheyAre = (channels: number): Normalisation => ({
  mean: Array.from({ length: channels }, () => 0),
  std: Array.from({ length: channels }, () => 1),
});

/**
 * A network with seeded first weights: the same seed gives the same weights, whatever was built before.
 *
 * @throws UserError (usage) for an unknown architecture or variant, or a spec that makes no sense
 */
export function buildNetwork(spec: NetworkSpec, seed: number): Network {
  const network = assembleNetwork(spec);
  initialise(network.trained, seed);
  return network;
}

/**
 * A network whose kernels are all zero, for weights to be loaded into. The system gives memory to zeros only when they are
 * written, so this is also how parameters are counted.
 *
 * @throws UserError (usage) as `buildNetwork`
 */
export function assembleNetwork(spec: NetworkSpec): Network {
  checkSpec(spec);
  return networkOf(spec, findArchitecture(spec.arch).build(spec));
}

/** A network around layers: those of a model whose first output are logits, and the others auxiliary ones. */
export function networkOf(spec: NetworkSpec, trained: tf.LayersModel): Network {
  const [logits] = trained.outputs;
  const model =
    trained.outputs.length === 1
      ? trained
      : tf.model({ inputs: trained.inputs, outputs: logits as tf.SymbolicTensor, name: spec.arch });
  return {
    spec,
    model,
    trained,
    classifier: classifierOf(spec.arch, spec, model),
    parameters: countParameters(model),
    dispose: () => {
      for (const weight of trained.weights) weight.dispose();
    },
  };
}

export interface TrainingOutputs {
  /** [B, classes] */
  readonly logits: tf.Tensor2D;
  /** Logits [B, classes] of every auxiliary classifier. */
  readonly auxiliary: readonly tf.Tensor2D[];
}

/**
 * Logits in training mode: batch norm uses the batch's statistics and updates its running ones, dropout drops.
 *
 * @param x - images [B, H, W, C] in [0,1]
 * @param noise - where dropout gets its randomness; networks without dropout need none
 */
export const trainingOutputs = (network: Network, x: tf.Tensor4D, noise?: Noise): TrainingOutputs =>
  outputsOf(network, x, { training: true, noise });

/**
 * Logits in training mode for a look that leaves no trace: batch norm uses the batch's statistics and keeps its running ones,
 * dropout drops nothing.
 *
 * @param x - images [B, H, W, C] in [0,1]
 */
export const stillOutputs = (network: Network, x: tf.Tensor4D): TrainingOutputs =>
  outputsOf(network, x, { training: true, still: true });

interface CallOptions {
  readonly training: boolean;
  readonly still?: boolean;
  readonly noise?: Noise | undefined;
}

function outputsOf({ spec, trained }: Network, x: tf.Tensor4D, options: CallOptions): TrainingOutputs {
  const outputs = tf.tidy(() => {
    const applied = trained.apply(normalise(x, spec.normalisation), { ...options });
    return [applied].flat() as tf.Tensor2D[];
  });
  const [logits, ...auxiliary] = outputs as [tf.Tensor2D, ...tf.Tensor2D[]];
  return { logits, auxiliary };
}

/** The logits alone. Arguments as `trainingOutputs`. */
export const trainingLogits = (network: Network, x: tf.Tensor4D, noise?: Noise): tf.Tensor2D =>
  tf.tidy(() => trainingOutputs(network, x, noise).logits);

function checkSpec({ arch, width, input, classes, normalisation: { mean, std } }: NetworkSpec): void {
  const check = (what: string, value: unknown, holds: boolean, accepts: string): void => {
    if (!holds) throw usageError(`${arch}: ${what} is ${JSON.stringify(value)}; it must be ${accepts}`);
  };
  const whole = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;
  check('the width', width, width > 0 && Number.isFinite(width), 'a number above 0');
  check('the image shape', input, input.length === 3 && input.every(whole), 'height, width and channels');
  check('the number of classes', classes, whole(classes), 'a whole number above 0');
  const perChannel = `one number for each of ${input[2]} channels`;
  check('the mean', mean, mean.length === input[2] && mean.every(Number.isFinite), perChannel);
  check(
    'the std',
    std,
    std.length === input[2] && std.every((s) => s > 0 && Number.isFinite(s)),
    `${perChannel}, above 0`,
  );
}

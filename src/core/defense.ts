/** The contract of defenses: a training loss, or a wrapper around a classifier. */
import type { tf } from '../tf.ts';
import type { Loss } from './attack.ts';
import type { Noise } from './ball.ts';
import type { Classifier, ImageShape } from './classifier.ts';
import type { Params, Values } from './params.ts';
import type { Norm } from './threat-model.ts';

/** What a training loss is prepared from. Nothing here depends on the weights by a gradient. */
export interface TrainingContext<P extends Params = Params> {
  /** The images, [B, H, W, C] in [0,1], augmented if the training augments. */
  readonly x: tf.Tensor4D;
  /** The true class, int32 [B]. */
  readonly y: tf.Tensor1D;
  /** The threat that is trained against, if it is, and validated against: the ball's norm and its radius in pixel units. */
  readonly norm: Norm;
  readonly epsilon: number;
  /** Seeded noise, one draw per image: [B, ...shape]. */
  readonly noise: Noise;
  /** What the last update left under the names of the defense's `memory`. */
  readonly memory: Tensors;
  /** The cross-entropy of the labels, with the training's label smoothing: logits [B, K] to [B]. */
  readonly crossEntropy: Loss;
  /** Logits [B, K] of the network in inference mode, for images [B, H, W, C] in [0,1]. */
  readonly logits: (x: tf.Tensor4D) => tf.Tensor2D;
  /**
   * Adversarial images for `x` in the ball of `norm` and `epsilon`: a registered attack's `init` and all its `step`s,
   * traced into the same graph as the weight update.
   */
  readonly perturb: (request: PerturbRequest) => tf.Tensor4D;
  readonly params: Values<P>;
}

/** Tensors by name. */
export type Tensors = Readonly<Record<string, tf.Tensor>>;

/** Which adversarial images a training loss asks for: by which attack, and how that is to go about it. */
export interface PerturbRequest {
  /** A registered attack's name. */
  readonly attack: string;
  /** Its parameters, laid over its defaults: an attack that lacks one of them is refused. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Laid over its defaults too, as far as it has such parameters. */
  readonly usual?: Readonly<Record<string, unknown>>;
  /** What it raises in place of the labels' cross-entropy: an attack that asks for another loss is refused. */
  readonly objective?: Loss;
  /** Where it begins, [B, H, W, C], in place of the clean image or a random point of the ball. */
  readonly start?: tf.Tensor4D;
  /** The centres of the balls, [B, H, W, C], in place of `x`. */
  readonly around?: tf.Tensor4D;
  /** How the network computes while it is attacked; `inference` by default. */
  readonly mode?: AttackedMode;
}

/**
 * In `inference`, batch norm uses its running statistics. In `training` it uses those of the batch, as in the pass that
 * trains, but its running ones stay as they are. Dropout drops nothing in either.
 */
export type AttackedMode = 'inference' | 'training';

/** Logits [B, K] in training mode (batch statistics, updated averages), for images [B, H, W, C] in [0,1]. */
export type TrainingModel = (x: tf.Tensor4D) => tf.Tensor2D;

/** What a defense makes of a batch: the loss to lower, and what the network said. */
export interface TrainingLoss {
  /** The scalar that training lowers: a mean over the batch. */
  readonly loss: tf.Scalar;
  /** The logits [B, K] from which the training accuracy is counted. */
  readonly logits: tf.Tensor2D;
}

/** A weight that learns, and the gradient of the loss in it. */
export interface WeightWithGradient {
  readonly name: string;
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
}

/** A way of making networks more robust: a training loss, or a wrapper around a classifier. */
export interface Defense<P extends Params = Params> {
  /** Its file's name. */
  readonly name: string;
  /** What a network trained with it is called in file names and reports; its own name by default. */
  readonly training?: string;
  readonly title: string;
  readonly paper: string;
  readonly params: P;
  /**
   * Of a training: whether it trains on images that an adversary made in the ball. Only then is it judged by robust accuracy,
   * is its best epoch kept unless told otherwise, and does the guard watch: noise is no adversary.
   */
  readonly adversarial?: boolean;
  /** How many updates each batch is used for, one after the other; 1 by default. */
  replays?(params: Values<P>): number;
  /** What is carried from one update to the next, zero at first: by name, its shape for one image of the batch. */
  memory?(image: ImageShape): Readonly<Record<string, readonly number[]>>;
  /**
   * What is carried on, under the names of `memory`: from the context that the loss was prepared from, and the gradients of
   * the loss in what was carried so far, which cost no pass of their own.
   */
  remember?(context: TrainingContext<P>, gradients: Tensors): Tensors;
  /**
   * How far from the weights w the gradient is taken: v for every weight, by name. The loss is lowered at w + v, and w moves.
   *
   * @param weights - with the gradient of the loss at w, the network computing as it does for attacks in mode `training`
   */
  perturbWeights?(weights: readonly WeightWithGradient[], params: Values<P>): Tensors;
  /**
   * The loss of one batch, in two halves: the outer function makes the images to train on, the inner one, which alone is
   * differentiated, feeds them to the model. So no gradient ever flows through an attack.
   */
  trainingLoss?(context: TrainingContext<P>): (model: TrainingModel) => TrainingLoss;
  /** The classifier behind the defense, as it answers, and as an adversary who knows the defense looks at it. */
  wrap?(classifier: Classifier, params: Values<P>, seeds: Seeds): Defended;
  /** Of a wrapper: what the adaptive adversary follows, in words; by default the gradient of the defended classifier. */
  readonly adversary?: string;
}

/** A classifier behind a defense. */
export interface Defended {
  /** What answers: clean accuracy and the verification of every adversarial image come from it. */
  readonly classifier: Classifier;
  /**
   * What attacks look at, if that is another: of a randomised defense, other draws than those that answer. By default the
   * classifier itself, whose gradient then is the one that an adaptive adversary would use: `backwardPass` gives it one.
   */
  readonly adversary?: Classifier;
}

/** What the randomness of a defense comes from, whole numbers from 0 to 2³² - 1: an adversary never sees the draws that answer. */
export interface Seeds {
  readonly answer: number;
  readonly adversary: number;
}

/** A defense of trained networks, which changes what they see. */
export type Wrapper = Defense & Required<Pick<Defense, 'wrap'>>;

export const isWrapper = (defense: Defense): defense is Wrapper => defense.wrap !== undefined;

/** Declares a defense; its parameters' types follow from their declaration. */
export const defineDefense = <P extends Params>(defense: Defense<P>): Defense<P> => defense;

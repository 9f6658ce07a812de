/** The contract of defenses: a training loss, or a wrapper around a classifier. */
import type { tf } from '../tf.ts';
import type { Noise } from './ball.ts';
import type { Classifier } from './classifier.ts';
import type { Params, Values } from './params.ts';
import type { Norm } from './threat-model.ts';

/** What a training loss is prepared from. Nothing here depends on the weights by a gradient. */
export interface TrainingContext<P extends Params = Params> {
  /** The images, [B, H, W, C] in [0,1], augmented if the training augments. */
  readonly x: tf.Tensor4D;
  /** The true class, int32 [B]. */
  readonly y: tf.Tensor1D;
  /** The threat that is trained against: the ball's norm and its radius in pixel units. */
  readonly norm: Norm;
  readonly epsilon: number;
  /** Seeded noise, one draw per image: [B, ...shape]. */
  readonly noise: Noise;
  /**
   * Adversarial images for `x` in the ball of `norm` and `epsilon`: a registered attack's `init` and all its `step`s
   * against the network in inference mode, traced into the same graph as the weight update.
   */
  readonly perturb: (request: PerturbRequest) => tf.Tensor4D;
  readonly params: Values<P>;
}

export interface PerturbRequest {
  /** A registered attack's name. */
  readonly attack: string;
  /** Its parameters, laid over its defaults. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Logits [B, K] in training mode (batch statistics, updated averages), for images [B, H, W, C] in [0,1]. */
export type TrainingModel = (x: tf.Tensor4D) => tf.Tensor2D;

/** What a defense makes of a batch: the loss to lower, and what the network said. */
export interface TrainingLoss {
  /** The scalar that training lowers: a mean over the batch. */
  readonly loss: tf.Scalar;
  /** The logits [B, K] from which the training accuracy is counted. */
  readonly logits: tf.Tensor2D;
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

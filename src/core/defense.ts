/** The contract of defenses: a training loss, or a wrapper around a classifier. */
import type { tf } from '../tf.ts';
import type { Classifier } from './classifier.ts';
import type { Params, Values } from './params.ts';

export interface TrainingContext<P extends Params = Params> {
  /** Logits [B, K] in training mode (batch statistics, updated averages), for images [B, H, W, C] in [0,1]. */
  readonly model: (x: tf.Tensor4D) => tf.Tensor2D;
  readonly x: tf.Tensor4D;
  /** The true class, int32 [B]. */
  readonly y: tf.Tensor1D;
  /** Seeded noise, one draw per image: [B, ...shape]. */
  readonly noise: (shape: readonly number[], distribution: 'uniform' | 'normal') => tf.Tensor;
  /**
   * Adversarial images for `x`: `steps` steps of the registered attack that `attack` names, traced into the same graph as
   * the weight update, against the model in inference mode. No gradient flows through them.
   */
  readonly perturb: (request: PerturbRequest) => tf.Tensor4D;
  readonly params: Values<P>;
}

export interface PerturbRequest {
  readonly attack: string;
  readonly epsilon: number;
  readonly norm: 'Linf' | 'L2' | 'L1';
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Defense<P extends Params = Params> {
  /** Its file's name. */
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly params: P;
  /** The scalar that training lowers. */
  trainingLoss?(context: TrainingContext<P>): tf.Scalar;
  /** The defended classifier; its gradient is the one an adaptive attacker would use. */
  wrap?(classifier: Classifier, params: Values<P>): Classifier;
}

/** Declares a defense; its parameters' types follow from their declaration. */
export const defineDefense = <P extends Params>(defense: Defense<P>): Defense<P> => defense;

/** One batch of training as one function of tensors: perturb, loss, gradient and update, to be compiled as a whole. */
import type { Noise } from '../core/ball.ts';
import { carried } from '../core/carried.ts';
import type { Defense } from '../core/defense.ts';
import { crossEntropy } from '../core/losses.ts';
import type { Params, Values } from '../core/params.ts';
import type { Norm } from '../core/threat-model.ts';
import type { TrainingOutputs } from '../models/network.ts';
import { tf } from '../tf.ts';
import type { Perturb } from './perturb.ts';
import { type Slot, sgdUpdate } from './sgd.ts';

export interface StepParts {
  readonly defense: Defense;
  readonly params: Values<Params>;
  readonly norm: Norm;
  readonly epsilon: number;
  /** Random changes of the images, before anything else sees them. */
  readonly augment: (x: tf.Tensor4D, noise: Noise) => tf.Tensor4D;
  /** Adversarial images against the network in inference mode. */
  readonly perturb: Perturb;
  /** Logits [B, K] in training mode, those of auxiliary classifiers too; the noise is for dropout. */
  readonly model: (x: tf.Tensor4D, noise: Noise) => TrainingOutputs;
  readonly slots: readonly Slot[];
  readonly momentum: number;
  readonly weightDecay: number;
}

/** The batch: images [B, H, W, C], labels int32 [B]. */
export interface StepInputs {
  readonly x: tf.Tensor4D;
  readonly y: tf.Tensor1D;
  readonly noise: Noise;
}

/** The loss of the batch, prepared outside the gradient and ready to be differentiated. */
export function preparedLoss(parts: StepParts, { x, y, noise }: StepInputs) {
  const { defense, params, norm, epsilon, augment, perturb } = parts;
  if (defense.trainingLoss === undefined) throw new Error(`${defense.name} has no training loss`);
  const images = augment(x, noise);
  return defense.trainingLoss({
    x: images,
    y,
    norm,
    epsilon,
    noise,
    params,
    perturb: (request) => perturb(request, { x: images, y, noise }),
  });
}

/**
 * Trains on one batch: updates the weights, their velocities and the batch-norm averages in place.
 *
 * @param rate - the learning rate, a scalar
 * @returns the loss before the update and how many images were classified correctly, as scalars
 */
export function trainingStep(
  parts: StepParts,
  inputs: StepInputs,
  rate: tf.Scalar,
): { readonly loss: tf.Scalar; readonly correct: tf.Scalar } {
  const { model, slots, momentum, weightDecay } = parts;
  const lossOf = preparedLoss(parts, inputs);
  const correct = carried<tf.Scalar>();
  const { value, grads } = tf.variableGrads(
    () => {
      const auxiliary: tf.Tensor2D[] = [];
      const { loss, logits } = lossOf((x) => {
        const outputs = model(x, inputs.noise);
        auxiliary.push(...outputs.auxiliary);
        return outputs.logits;
      });
      correct.keep(countCorrect(logits, inputs.y));
      return auxiliary.reduce((total, side) => total.add(auxiliaryLoss(side, inputs.y)), loss);
    },
    slots.map(({ weight }) => weight),
  );
  sgdUpdate(slots, grads, { rate, momentum, weightDecay });
  return { loss: value, correct: correct.release() };
}

/** What an auxiliary classifier adds to the loss (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 5). */
const auxiliaryLoss = (logits: tf.Tensor2D, y: tf.Tensor1D): tf.Scalar => crossEntropy(logits, y).mean().mul(0.3);

/** How many logits [B, K] are largest at their label [B], as a float32 scalar. */
const countCorrect = (logits: tf.Tensor2D, y: tf.Tensor1D): tf.Scalar => isCorrect(logits, y).sum() as tf.Scalar;

/** 1 where the largest logit is the label's, else 0: float32 [B]. */
export const isCorrect = (logits: tf.Tensor2D, y: tf.Tensor1D): tf.Tensor1D =>
  logits.argMax(1).toInt().equal(y).toFloat() as tf.Tensor1D;

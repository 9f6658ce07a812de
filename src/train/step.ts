/** One batch of training as one function of tensors: perturb, loss, gradient and update, to be compiled as a whole. */
import type { Noise } from '../core/ball.ts';
import { carried } from '../core/carried.ts';
import type { Classifier } from '../core/classifier.ts';
import type { Defense, Tensors, TrainingContext, TrainingLoss, TrainingModel } from '../core/defense.ts';
import { UserError } from '../core/errors.ts';
import { smoothedCrossEntropy } from '../core/losses.ts';
import type { Params, Values } from '../core/params.ts';
import type { Norm } from '../core/threat-model.ts';
import type { TrainingOutputs } from '../models/network.ts';
import { tf } from '../tf.ts';
import { follow } from './average.ts';
import { clipGradients } from './clip.ts';
import type { Perturb } from './perturb.ts';
import { atPerturbedWeights } from './perturb-weights.ts';
import { sgdUpdate } from './sgd.ts';
import { soundness } from './snapshot.ts';
import type { TrainingVariables } from './variables.ts';

/** What the loss of a batch is prepared from. */
export interface LossParts {
  readonly defense: Defense;
  readonly params: Values<Params>;
  readonly norm: Norm;
  readonly epsilon: number;
  /** The share of a label that is spread evenly over all classes. */
  readonly labelSmoothing: number;
  /** Random changes of the images, before anything else sees them. */
  readonly augment: (x: tf.Tensor4D, noise: Noise) => tf.Tensor4D;
  readonly perturb: Perturb;
  /** Logits [B, K] in inference mode. */
  readonly logits: Classifier['logits'];
  readonly memory: Tensors;
}

export interface StepParts extends Omit<LossParts, 'memory'>, TrainingVariables {
  /** Logits [B, K] in training mode, those of auxiliary classifiers too; the noise is for dropout. */
  readonly model: (x: tf.Tensor4D, noise: Noise) => TrainingOutputs;
  /** The same, leaving no trace: see `stillOutputs`. */
  readonly still: (x: tf.Tensor4D) => TrainingOutputs;
  readonly momentum: number;
  readonly weightDecay: number;
  /** The longest gradient that is used as it is; null for any. */
  readonly clip: number | null;
}

/** The batch: images [B, H, W, C], labels int32 [B]. */
export interface StepInputs {
  readonly x: tf.Tensor4D;
  readonly y: tf.Tensor1D;
  readonly noise: Noise;
}

/** The loss of the batch, prepared outside the gradient and ready to be differentiated; and what it was prepared from. */
export function preparedLoss(
  parts: LossParts,
  { x, y, noise }: StepInputs,
): { readonly context: TrainingContext; readonly lossOf: (model: TrainingModel) => TrainingLoss } {
  const { defense, params, norm, epsilon, labelSmoothing, augment, perturb, logits, memory } = parts;
  if (defense.trainingLoss === undefined) throw new Error(`${defense.name} has no training loss`);
  const images = augment(x, noise);
  const context: TrainingContext = {
    ...{ x: images, y, norm, epsilon, noise, params, logits, memory },
    crossEntropy: (z) => smoothedCrossEntropy(z, y, labelSmoothing),
    perturb: (request) => perturb(request, { x: images, y, noise }),
  };
  return { context, lossOf: defense.trainingLoss(context) };
}

/** What changes from update to update, as scalars. */
export interface StepRates {
  /** The learning rate. */
  readonly rate: tf.Scalar;
  /** How far the moving average goes towards the weights, 0 to 1. */
  readonly share: tf.Scalar;
}

/**
 * Trains on one batch: updates the weights, their velocities, the batch-norm averages, the moving average of all of them and
 * the defense's memory in place.
 *
 * @returns the loss before the update, how many images were classified correctly, and the `soundness` of the weights after
 *   it, as scalars
 */
export function trainingStep(
  parts: StepParts,
  inputs: StepInputs,
  { rate, share }: StepRates,
): { readonly loss: tf.Scalar; readonly correct: tf.Scalar; readonly sound: tf.Scalar } {
  const { model, still, slots, memory, average, momentum, weightDecay, clip } = parts;
  const { context, lossOf } = preparedLoss(parts, inputs);
  const lossBy = (outputsOf: StepParts['still']): TrainingLoss => wholeLoss(parts.defense, outputsOf, lossOf, context);
  const correct = carried<tf.Scalar>();
  const weights = slots.map(({ weight }) => weight);
  const lossAtWeights = (): tf.Scalar => lossBy(still).loss;
  const { value, grads } = atPerturbedWeights(parts, lossAtWeights, () =>
    tf.variableGrads(() => {
      const { loss, logits } = lossBy((x) => model(x, inputs.noise));
      correct.keep(countCorrect(logits, inputs.y));
      return loss;
    }, [...weights, ...Object.values(memory)]),
  );
  remember(parts, context, grads);
  const ofWeights = Object.fromEntries(Object.entries(grads).filter(([name]) => weights.some((w) => w.name === name)));
  sgdUpdate(slots, clip === null ? ofWeights : clipGradients(ofWeights, clip), { rate, momentum, weightDecay });
  if (average !== undefined) follow(average, parts.weights, share);
  return { loss: value, correct: correct.release(), sound: soundness(parts.weights) };
}

/** The loss with what auxiliary classifiers add to it. */
function wholeLoss(
  { name }: Defense,
  outputsOf: StepParts['still'],
  lossOf: (model: TrainingModel) => TrainingLoss,
  { crossEntropy }: TrainingContext,
): TrainingLoss {
  const auxiliary: tf.Tensor2D[] = [];
  const { loss, logits } = requireLoss(
    name,
    lossOf((x) => {
      const outputs = outputsOf(x);
      auxiliary.push(...outputs.auxiliary);
      return outputs.logits;
    }),
  );
  // Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, section 5.
  const added = (total: tf.Scalar, side: tf.Tensor2D): tf.Scalar => total.add(crossEntropy(side).mean().mul(0.3));
  return { loss: auxiliary.reduce(added, loss), logits };
}

/** @throws UserError if a defense of the user's own gives no loss, or no logits to count from */
function requireLoss(name: string, made: TrainingLoss): TrainingLoss {
  const { loss, logits } = made ?? {};
  const refuse = (what: string, given: unknown, wanted: string): UserError => {
    const found = given instanceof tf.Tensor ? `of the shape [${given.shape.join(', ')}]` : 'no tensor';
    return new UserError(`training ${name}: what trainingLoss gives as ${what} is ${found}; it must be ${wanted}`);
  };
  if (!(loss instanceof tf.Tensor && loss.rank === 0))
    throw refuse('loss', loss, 'a scalar, such as a mean over the batch');
  if (!(logits instanceof tf.Tensor && logits.rank === 2))
    throw refuse('logits', logits, 'what the model gave, [images, classes]');
  return made;
}

/** Carries on what the defense wants to know at the next update. */
function remember({ defense, memory }: StepParts, context: TrainingContext, gradients: tf.NamedTensorMap): void {
  if (defense.remember === undefined) return;
  const inMemory = Object.entries(memory).map(([name, variable]) => {
    return [name, gradients[variable.name] ?? tf.zerosLike(variable)] as const;
  });
  const next = defense.remember(context, Object.fromEntries(inMemory));
  for (const [name, variable] of Object.entries(memory)) variable.assign(next[name] ?? variable);
}

/** How many logits [B, K] are largest at their label [B], as a float32 scalar. */
const countCorrect = (logits: tf.Tensor2D, y: tf.Tensor1D): tf.Scalar => isCorrect(logits, y).sum() as tf.Scalar;

/** 1 where the largest logit is the label's, else 0: float32 [B]. */
export const isCorrect = (logits: tf.Tensor2D, y: tf.Tensor1D): tf.Tensor1D =>
  logits.argMax(1).toInt().equal(y).toFloat() as tf.Tensor1D;

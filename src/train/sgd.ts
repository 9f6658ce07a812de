/**
 * Stochastic gradient descent with momentum and L2 weight decay, as torch.optim.SGD defines it (no dampening, no
 * Nesterov): with the gradient g, decay λ, momentum μ and rate η
 *
 *     g ← g + λw,   v ← μv + g,   w ← w - ηv.
 *
 * The decay is the L2 one (it passes through the momentum, unlike AdamW's decoupled form) and falls on every trainable
 * weight, biases and batch-norm scales included. The rate stands outside v, so a schedule takes effect at once.
 */
import { tf } from '../tf.ts';

/** A trainable weight and its velocity v. */
export interface Slot {
  /** Stable across processes: the layer's and the weight's name. */
  readonly name: string;
  readonly weight: tf.Variable;
  readonly velocity: tf.Variable;
}

/** Slots at rest for the trainable weights of a model, or a layer. The velocities are the caller's to dispose. */
export function slotsOf({ trainableWeights }: Pick<tf.LayersModel, 'trainableWeights'>): readonly Slot[] {
  return trainableWeights.map((variable) => {
    const weight = variable.read() as tf.Variable;
    const velocity = tf.tidy(() => tf.variable(tf.zerosLike(weight), false));
    return { name: variable.originalName, weight, velocity };
  });
}

export interface SgdOptions {
  /** η, a scalar tensor: a schedule changes it without recompiling anything. */
  readonly rate: tf.Scalar;
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * One update of all slots, in place. A weight without a gradient (the loss does not reach it) stays as it is.
 *
 * @param gradients - by the weight variable's `name`, as `tf.variableGrads` gives them
 */
export function sgdUpdate(
  slots: readonly Slot[],
  gradients: tf.NamedTensorMap,
  { rate, momentum, weightDecay }: SgdOptions,
): void {
  for (const { weight, velocity } of slots) {
    const gradient = gradients[weight.name];
    if (gradient === undefined) continue;
    const decayed = weightDecay === 0 ? gradient : gradient.add(weight.mul(weightDecay));
    const v = velocity.mul(momentum).add(decayed);
    velocity.assign(v);
    weight.assign(weight.sub(v.mul(rate)));
  }
}

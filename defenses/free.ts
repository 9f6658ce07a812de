/**
 * Adversarial training for free: each batch is used m times, and the backward pass that moves the weights moves the images too,
 *
 *     δ ← Π(δ + α · sign(∇_δ J(θ, x + δ, y))),   θ ← θ - η ∇_θ J(θ, x + δ, y),   both at the same θ and δ,
 *
 * with α = ε. δ is kept from one batch to the next: where the last left it, the next begins.
 *
 * Shafahi, Najibi, Ghiasi, Xu, Dickerson, Studer, Davis, Taylor, Goldstein, "Adversarial Training for Free!", NeurIPS 2019,
 * algorithm 1, m = 8 for CIFAR-10. An epoch is a pass over the images here, in which each is used m times: the paper divides its
 * epochs by m, so what costs as much as N epochs of standard training is N/m epochs of this. Augmentation is the same in all uses
 * of a batch, since δ belongs to its pixels; dropout is not.
 */
import { ball, shorten } from '../src/core/ball.ts';
import { defineDefense } from '../src/core/defense.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineDefense({
  name: 'free',
  title: 'Adversarial training for free',
  paper: 'https://arxiv.org/abs/1904.12843',
  adversarial: true,
  params: {
    replays: p.integer(8, 'updates m that each batch is used for; an epoch takes m times as long', { min: 1 }),
    step: p.optionalNumber('step size α in pixel units; auto: ε', { min: 0 }),
  },
  replays: ({ replays }) => replays,
  memory: (image) => ({ delta: image }),
  trainingLoss: ({ x, memory, crossEntropy }) => {
    const delta = memory.delta as tf.Tensor4D;
    return (model) => {
      const logits = model(tf.clipByValue(x.add(delta), 0, 1));
      return { loss: crossEntropy(logits).mean(), logits };
    };
  },
  remember: ({ x, norm, epsilon, noise, memory, params }, gradients) => {
    const radius: tf.Tensor4D = tf.fill([x.shape[0], 1, 1, 1], epsilon);
    const uphill = ball(norm, { clean: x, epsilon: radius, noise }).steepest(gradients.delta as tf.Tensor4D);
    const delta: tf.Tensor4D = (memory.delta as tf.Tensor4D).add(uphill.mul(params.step ?? epsilon));
    return { delta: shorten(norm, delta, radius) };
  },
});

/**
 * Diverse inputs iterative fast gradient sign method, with momentum: v ← μ·v + g/‖g‖₁ with g = ∇ₓ J(T(x; p), y), then
 * x ← Π(x + ε/T · sign v). With probability p, T enlarges the image by a random size, of 299 to 329 pixels where the image
 * has 299, and pads it with zeros at random to 330; else it is the identity. Every image and step has a draw of its own.
 *
 * The authors' networks take the enlarged canvas as it is. Those here take one size, so the canvas is resized to it, which
 * leaves the picture 299/330 to 329/330 of its own size, at a random place.
 *
 * Xie, Zhang, Zhou, Bai, Wang, Ren, Yuille, "Improving Transferability of Adversarial Examples with Input Diversity",
 * CVPR 2019, section 3 (M-DI²-FGSM).
 */
import { defineAttack } from '../src/core/attack.ts';
import { enlargement, resample } from '../src/core/interpolation.ts';
import { accumulate } from '../src/core/momentum.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'di-fgsm',
  title: 'Diverse inputs iterative fast gradient sign method',
  paper: 'https://arxiv.org/abs/1803.06978',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(10, 'gradient steps', { min: 1 }),
    decay: p.number(1, 'share μ of the old velocity that is kept; 0 is DI²-FGSM', { min: 0 }),
    probability: p.number(0.5, 'how often an image is transformed', { min: 0, max: 1 }),
    canvas: p.number(1.104, 'side of the padded canvas, in sides of the image (330/299)', { min: 1, max: 4 }),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x, velocity: tf.zerosLike(x) }),
  step: (state, { ball, epsilon, gradient, noise, params }) => {
    const [, height, width] = state.x.shape;
    const chosen = noise([1, 1, 1], 'uniform').less(params.probability);
    const [share, top, left] = [0, 1, 2].map(() => noise([1, 1], 'uniform')) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const rows = enlargement(height, Math.round(height * params.canvas), share, top);
    const columns = enlargement(width, Math.round(width * params.canvas), share, left);

    const transformed = tf.where(chosen, resample(state.x, rows, columns), state.x);
    const g = gradient(transformed);
    // T is linear: the chain rule multiplies by its transpose.
    const back = resample(g, rows.transpose([0, 2, 1]), columns.transpose([0, 2, 1]));
    const velocity = accumulate(state.velocity, tf.where(chosen, back, g), params.decay);
    const x = ball.project(state.x.add(ball.steepest(velocity).mul(epsilon.div(params.steps))));
    return { x, velocity };
  },
});

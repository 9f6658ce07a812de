/**
 * Translation-invariant fast gradient sign method, with momentum: v ← μ·v + h/‖h‖₁ with h = W ∗ ∇ₓ J(x, y), then
 * x ← Π(x + ε/T · sign v). Blurring the gradient with W stands for attacking all small shifts of the image at once.
 *
 * Dong, Pang, Su, Zhu, "Evading Defenses to Transferable Adversarial Examples by Translation-Invariant Attacks", CVPR 2019,
 * sections 3.2 to 3.4. W is 15 pixels wide and Gaussian, and its edge is three standard deviations
 * from its middle, as in the authors' program: σ = 7/3 pixels.
 */
import { defineAttack } from '../src/core/attack.ts';
import { accumulate } from '../src/core/momentum.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

/** Standard deviations from the kernel's middle to its edge. */
const REACH = 3;

/** A Gaussian window of sum 1, (2·radius + 1)² pixels, for each channel: [2r+1, 2r+1, C, 1]. */
function gaussian(radius: number, channels: number): tf.Tensor4D {
  const bell = tf
    .linspace(-REACH, REACH, 2 * radius + 1)
    .square()
    .mul(-0.5)
    .exp();
  const line = bell.div(bell.sum());
  return tf
    .outerProduct(line as tf.Tensor1D, line as tf.Tensor1D)
    .expandDims(2)
    .expandDims(3)
    .tile([1, 1, channels, 1]);
}

export default defineAttack({
  name: 'ti-fgsm',
  title: 'Translation-invariant fast gradient sign method',
  paper: 'https://arxiv.org/abs/1904.02884',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(10, 'gradient steps', { min: 1 }),
    decay: p.number(1, 'share μ of the old velocity that is kept', { min: 0 }),
    radius: p.integer(7, 'pixels from the kernel’s middle to its edge, three standard deviations', { min: 0, max: 64 }),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x, velocity: tf.zerosLike(x) }),
  step: (state, { ball, epsilon, gradient, params }) => {
    const window = gaussian(params.radius, state.x.shape[3]);
    const blurred = tf.depthwiseConv2d(gradient(state.x), window, 1, 'same');
    const velocity = accumulate(state.velocity, blurred, params.decay);
    const x = ball.project(state.x.add(ball.steepest(velocity).mul(epsilon.div(params.steps))));
    return { x, velocity };
  },
});

/**
 * Nesterov iterative fast gradient sign method: v ← μ·v + g/‖g‖₁ with g = ∇ₓ J(x + α·μ·v, y), the gradient where the
 * velocity leads and not where the image is, then x ← Π(x + α · sign v), α = ε/T.
 *
 * The paper's ‖g‖₁ is a sum over d pixels, so v is about 1/d a pixel and the look-ahead all but nil; the authors' program
 * divides by the mean of |g| instead. The sign does not care, the look-ahead grows by d: `lookahead` chooses.
 *
 * Lin, Song, He, Wang, Hopcroft, "Nesterov Accelerated Gradient and Scale Invariance for Adversarial Attacks", ICLR 2020,
 * equations 6 to 8.
 */
import { defineAttack } from '../src/core/attack.ts';
import { accumulate } from '../src/core/momentum.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'ni-fgsm',
  title: 'Nesterov iterative fast gradient sign method',
  paper: 'https://arxiv.org/abs/1908.06281',
  norms: ['Linf'],
  access: 'gradient',
  params: {
    steps: p.integer(10, 'gradient steps', { min: 1 }),
    decay: p.number(1, 'share μ of the old velocity that is kept', { min: 0 }),
    lookahead: p.choice('sum', ['sum', 'mean'], 'what ‖g‖₁ is to the look-ahead: the sum of |g|, or its mean'),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x, velocity: tf.zerosLike(x) }),
  step: (state, { ball, epsilon, gradient, params }) => {
    const stepSize = epsilon.div(params.steps);
    const pixels = state.x.size / state.x.shape[0];
    const reach = stepSize.mul(params.decay * (params.lookahead === 'mean' ? pixels : 1));
    const ahead: tf.Tensor4D = state.x.add(state.velocity.mul(reach));
    const velocity = accumulate(state.velocity, gradient(ahead), params.decay);
    return { x: ball.project(state.x.add(ball.steepest(velocity).mul(stepSize))), velocity };
  },
});

/**
 * Momentum iterative fast gradient sign method: v ← μ·v + g/‖g‖₁ with g = ∇ₓ J(x, y), then x ← Π(x + ε/T · sign v). The
 * velocity outlives the wiggles of one network's loss, so that what it finds is more likely to fool another network too.
 *
 * Dong, Liao, Pang, Su, Zhu, Hu, Li, "Boosting Adversarial Attacks with Momentum", CVPR 2018, algorithm 1.
 */
import { defineAttack } from '../src/core/attack.ts';
import { accumulate } from '../src/core/momentum.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'mi-fgsm',
  title: 'Momentum iterative fast gradient sign method',
  paper: 'https://arxiv.org/abs/1710.06081',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(10, 'gradient steps', { min: 1 }),
    decay: p.number(1, 'share μ of the old velocity that is kept', { min: 0 }),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x, velocity: tf.zerosLike(x) }),
  step: (state, { ball, epsilon, gradient, params }) => {
    const velocity = accumulate(state.velocity, gradient(state.x), params.decay);
    const x = ball.project(state.x.add(ball.steepest(velocity).mul(epsilon.div(params.steps))));
    return { x, velocity };
  },
});

/**
 * Momentum iterative fast gradient sign method: v ← μ·v + g/‖g‖₁ with g = ∇ₓ J(x, y), then x ← Π(x + ε/T · sign v).
 *
 * Dong, Liao, Pang, Su, Zhu, Hu, Li, "Boosting Adversarial Attacks with Momentum", CVPR 2018, algorithm 1.
 */
import { defineAttack, p, sizeOf, tf } from 'gibbon';

export default defineAttack({
  name: 'momentum',
  title: 'Momentum iterative fast gradient sign method',
  paper: 'https://arxiv.org/abs/1710.06081',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(10, 'gradient steps', { min: 1 }),
    decay: p.number(1, 'share of the old velocity that is kept', { min: 0 }),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x, velocity: tf.zerosLike(x) }),
  step: (state, { ball, epsilon, gradient, params }) => {
    const g = gradient(state.x);
    const push = g.div(sizeOf('L1', g).maximum(1e-12));
    const velocity: tf.Tensor4D = state.velocity.mul(params.decay).add(push);
    return { x: ball.project(state.x.add(ball.steepest(velocity).mul(epsilon.div(params.steps)))), velocity };
  },
});

/**
 * Uniform noise in the ball: x' = x + δ, δ ~ U(ball). Not an attack so much as the baseline that one must beat: what
 * accuracy a perturbation of this size costs when nobody aims it.
 *
 * Fawzi, Moosavi-Dezfooli, Frossard, "Robustness of classifiers: from adversarial to random noise", NeurIPS 2016.
 */
import { defineAttack } from '../src/core/attack.ts';

export default defineAttack({
  name: 'noise',
  title: 'Uniform noise in the ball',
  paper: 'https://arxiv.org/abs/1608.08967',
  norms: ['Linf', 'L2', 'L1'],
  access: 'none',
  params: {},
  steps: () => 0,
  init: (_x, { ball }) => ({ x: ball.randomPoint() }),
  step: (state) => state,
});

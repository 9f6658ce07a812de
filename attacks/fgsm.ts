/**
 * Fast gradient sign method: x' = x + ε · sign(∇ₓ J(x, y)), and in other norms one step of length ε along the steepest
 * direction (the fast gradient method).
 *
 * Goodfellow, Shlens, Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR 2015, section 4.
 */
import { defineAttack } from '../src/core/attack.ts';

export default defineAttack({
  name: 'fgsm',
  title: 'Fast gradient sign method',
  paper: 'https://arxiv.org/abs/1412.6572',
  norms: ['Linf', 'L2', 'L1'],
  access: 'gradient',
  params: {},
  steps: () => 1,
  init: (x) => ({ x }),
  step: ({ x }, { ball, epsilon, gradient }) => ({ x: ball.project(x.add(ball.steepest(gradient(x)).mul(epsilon))) }),
});

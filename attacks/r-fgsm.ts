/**
 * R+FGSM, a random step before the gradient's: x' = x + α · sign(N(0, I)), then x'' = x' + (ε - α) · sign(∇ₓ J(x', y)),
 * so that a network whose loss is curved at the clean image alone is not taken for a robust one. In L2 both steps have
 * their length along a direction of the sphere.
 *
 * Tramèr, Kurakin, Papernot, Goodfellow, Boneh, McDaniel, "Ensemble Adversarial Training: Attacks and Defenses", ICLR 2018,
 * section 4.1, with α = ε/2 as there. Both steps are clipped to the box, as in the authors' program.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';
import type { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'r-fgsm',
  title: 'Fast gradient sign method after a random step',
  paper: 'https://arxiv.org/abs/1705.07204',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    start: p.number(0.5, 'length α of the random first step, as a share of ε', { min: 0, max: 1 }),
  },
  steps: () => 1,
  init: (x, { ball, epsilon, noise, params }) => {
    const direction = ball.steepest(noise(x.shape.slice(1), 'normal') as tf.Tensor4D);
    return { x: ball.project(x.add(direction.mul(epsilon.mul(params.start)))) };
  },
  step: ({ x }, { ball, epsilon, gradient, params }) => ({
    x: ball.project(x.add(ball.steepest(gradient(x)).mul(epsilon.mul(1 - params.start)))),
  }),
});

/**
 * Projected gradient descent: x ← Π(x + α · steepest(∇ₓ J(x, y))), from a uniform random point of the ball, where Π
 * projects on the ball and then on the box [0,1].
 *
 * Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018,
 * section 2.1; the step 2.5·ε/steps is that of section 5 (L2): long enough to reach the ball's edge from any start.
 *
 * In L1, where the steepest direction is a single pixel, each step moves the 1 % of the pixels with the largest |∇ₓ J|:
 * Tramèr, Boneh, "Adversarial Training and Robustness for Multiple Perturbations", NeurIPS 2019, section 3 (SLIDE). The
 * projection is exact, on ball and box at once: Croce, Hein, "Mind the Box", ICML 2021, section 3.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';

export default defineAttack({
  name: 'pgd',
  title: 'Projected gradient descent',
  paper: 'https://arxiv.org/abs/1706.06083',
  norms: ['Linf', 'L2', 'L1'],
  access: 'gradient',
  params: {
    steps: p.integer(40, 'gradient steps', { min: 1 }),
    step: p.optionalNumber('step size in pixel units; auto: 2.5·ε/steps', { min: 0 }),
    random: p.boolean(true, 'start at a uniform random point of the ball'),
    share: p.number(0.01, 'in L1, the share of the pixels that a step moves', { min: 0, max: 1 }),
  },
  steps: ({ steps }) => steps,
  init: (x, { ball, params }) => ({ x: params.random ? ball.randomPoint() : x }),
  step: ({ x }, { ball, epsilon, gradient, params }) => {
    const stepSize = params.step ?? epsilon.mul(2.5 / params.steps);
    return { x: ball.project(x.add(ball.spread(gradient(x), x, params.share).mul(stepSize))) };
  },
});

/**
 * Projected gradient descent: x ← Π(x + α · steepest(∇ₓ J(x, y))), from a uniform random point of the ball, where Π
 * projects on the ball and then on the box [0,1].
 *
 * Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018,
 * section 2.1; the step 2.5·ε/steps is that of section 5 (L2): long enough to reach the ball's edge from any start.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';

export default defineAttack({
  name: 'pgd',
  title: 'Projected gradient descent',
  paper: 'https://arxiv.org/abs/1706.06083',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(40, 'gradient steps', { min: 1 }),
    step: p.optionalNumber('step size in pixel units; auto: 2.5·ε/steps', { min: 0 }),
    random: p.boolean(true, 'start at a uniform random point of the ball'),
  },
  steps: ({ steps }) => steps,
  init: (x, { ball, params }) => ({ x: params.random ? ball.randomPoint() : x }),
  step: ({ x }, { ball, epsilon, gradient, params }) => {
    const stepSize = params.step ?? epsilon.mul(2.5 / params.steps);
    return { x: ball.project(x.add(ball.steepest(gradient(x)).mul(stepSize))) };
  },
});

/**
 * Basic iterative method: x ← Π(x + α · sign(∇ₓ J(x, y))), from the clean image itself.
 *
 * The paper takes steps of one grey level, α = 1/255, and min(ε + 4, 1.25·ε) of them, with ε in grey levels. Here the
 * number of steps is given, whatever the radius, and the walk is as long as the paper's in all: α = min(ε + 4/255,
 * 1.25·ε)/steps. Ten steps at ε = 8/255 are exactly the paper's.
 *
 * Kurakin, Goodfellow, Bengio, "Adversarial Examples in the Physical World", ICLR 2017 workshop, section 2.2.
 */
import { defineAttack } from '../src/core/attack.ts';
import { p } from '../src/core/params.ts';

export default defineAttack({
  name: 'bim',
  title: 'Basic iterative method',
  paper: 'https://arxiv.org/abs/1607.02533',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {
    steps: p.integer(10, 'gradient steps', { min: 1 }),
    step: p.optionalNumber('step size in pixel units; auto: min(ε + 4/255, 1.25·ε)/steps', { min: 0 }),
  },
  steps: ({ steps }) => steps,
  init: (x) => ({ x }),
  step: ({ x }, { ball, epsilon, gradient, params }) => {
    const walk = epsilon.add(4 / 255).minimum(epsilon.mul(1.25));
    const stepSize = params.step ?? walk.div(params.steps);
    return { x: ball.project(x.add(ball.steepest(gradient(x)).mul(stepSize))) };
  },
});

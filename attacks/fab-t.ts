/**
 * Fast adaptive boundary attack, targeted form: steps to the decision boundary as the linearised network has it, drawn
 * towards the clean image. With d₁ and d₂ the shortest ways from x and from the clean image x₀ to the hyperplane where the
 * target would win, inside the box:
 *
 *   α = min(‖d₁‖ / (‖d₁‖ + ‖d₂‖), α_max),   x ← clip((1-α)·(x + η·d₁) + α·(x₀ + η·d₂)),
 *
 * and wherever x is adversarial, first a step back: x ← x₀ + β·(x - x₀).
 *
 * Croce, Hein, "Minimally distorted Adversarial Examples with a Fast Adaptive Boundary Attack", ICML 2020, algorithm 1, aimed
 * at one class after the other as in AutoAttack (Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble
 * of diverse parameter-free attacks", ICML 2020, section 4), whose constants these are and which leaves out the final search
 * and starts at the clean image. As there, the hyperplane is where the target wins over the true class, and any other class
 * will do to turn back; where the adversary's goal is one class, it must beat all others.
 */
import { defineAttack } from '../src/core/attack.ts';
import { sizeOf, sumOf } from '../src/core/ball.ts';
import { column } from '../src/core/column.ts';
import { toHyperplane } from '../src/core/hyperplane.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

/** Stands in for the length of no way at all. */
const LEAST = 1e-8;

export default defineAttack({
  name: 'fab-t',
  title: 'Fast adaptive boundary attack, targeted',
  paper: 'https://arxiv.org/abs/1907.02044',
  norms: ['Linf', 'L2', 'L1'],
  access: 'gradient',
  minimumNorm: true,
  params: {
    steps: p.integer(100, 'gradient steps', { min: 1 }),
    targets: p.integer(9, 'classes aimed at, one after the other', { min: 1 }),
    alphaMax: p.number(0.1, 'most that a step may lean to the clean image (α_max)', { min: 0, max: 1 }),
    overshoot: p.number(1.05, 'length of steps, 1 ends on the hyperplane (η)', { min: 1 }),
    back: p.number(0.9, 'share of the perturbation kept by the step back (β)', { min: 0, max: 1 }),
  },
  targets: ({ targets }) => targets,
  steps: ({ steps }) => steps,
  init: (x) => ({ x }),
  step: ({ x }, { ball: { norm }, clean, lead, params, reached, valueAndGradient }) => {
    const { alphaMax, overshoot, back } = params;
    const from: tf.Tensor4D = tf.where(column(reached(x)), clean.add(x.sub(clean).mul(back)), x);

    const { value: f, gradient } = valueAndGradient(from, lead);
    const value = column(f);
    const ahead = toHyperplane(norm, from, { value, gradient });
    const valueAtClean = value.add(sumOf(gradient.mul(clean.sub(from)))) as tf.Tensor4D;
    const direct = toHyperplane(norm, clean, { value: valueAtClean, gradient });

    const [a, b] = [ahead, direct].map((way) => sizeOf(norm, way).maximum(LEAST)) as [tf.Tensor4D, tf.Tensor4D];
    const alpha = a.div(a.add(b)).minimum(alphaMax);
    const onwards = from.add(ahead.mul(overshoot)).mul(tf.scalar(1).sub(alpha));
    return { x: tf.clipByValue(onwards.add(clean.add(direct.mul(overshoot)).mul(alpha)), 0, 1) as tf.Tensor4D };
  },
});

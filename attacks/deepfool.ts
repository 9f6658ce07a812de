/**
 * DeepFool: takes the network for linear and walks to the nearest face of the polyhedron that the true class would then
 * have, again and again until it is left behind. With fₖ = zₖ - z_y and wₖ = ∇ₓ fₖ at xᵢ, and q dual to p:
 *
 *   l = argminₖ |fₖ| / ‖wₖ‖_q,   xᵢ₊₁ = xᵢ + |f_l| / ‖w_l‖_q · steepest(w_l),   x' = x₀ + (1 + overshoot)·(xᵢ₊₁ - x₀)
 *
 * Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool: a simple and accurate method to fool deep neural networks", CVPR 2016,
 * algorithm 2 and section 3.3. As in the authors' program, k runs over the classes that the clean image resembles most, and
 * the overshoot is on the sum of all steps. Two things differ from it. All points are clipped to [0,1], which costs a step
 * part of its length. And as in the paper, networks are linearised at xᵢ and not at x': steps that fall short of a face by a
 * share of their length, from a point that already includes the overshoot, would approach it for ever.
 */
import { defineAttack } from '../src/core/attack.ts';
import { column, none } from '../src/core/column.ts';
import { leadsOf, rivalsOf, toNearestFace } from '../src/core/nearest-face.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineAttack({
  name: 'deepfool',
  title: 'DeepFool',
  paper: 'https://arxiv.org/abs/1511.04599',
  norms: ['L2', 'Linf'],
  access: 'gradient',
  minimumNorm: true,
  params: {
    steps: p.integer(50, 'gradient steps', { min: 1 }),
    overshoot: p.number(0.02, 'share by which the sum of all steps is lengthened', { min: 0 }),
    classes: p.integer(10, 'classes considered, the true one included', { min: 2 }),
  },
  steps: ({ steps }) => steps,

  init: (x, { label, logits, params }) => {
    const z = logits(x);
    const rivals = rivalsOf(z, label, params.classes);
    return { x, upTo: x.clone(), rivals, isFinished: none(x) };
  },

  step: ({ x, upTo, rivals }, { ball, clean, label, margin, params, reached, targeted, valueAndGradient }) => {
    const isFinished = reached(x);
    const faces = targeted ? [margin] : leadsOf(rivals, label);
    const way = toNearestFace(upTo, faces, { ball, valueAndGradient });
    const next = tf.clipByValue(upTo.add(way), 0, 1) as tf.Tensor4D;
    const beyond = tf.clipByValue(clean.add(next.sub(clean).mul(1 + params.overshoot)), 0, 1) as tf.Tensor4D;
    const done = column(isFinished);
    return { x: tf.where(done, x, beyond), upTo: tf.where(done, upTo, next), rivals, isFinished };
  },
});

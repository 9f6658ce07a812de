/**
 * Total variation minimisation: a random half of the pixels is dropped, and x ← argmin_u ½·Σ_kept (u - x)² + λ·Σ |∇u|, by a
 * fixed number of primal-dual steps. An answer is the mean of the logits over several such draws.
 *
 * Guo, Rana, Cisse, van der Maaten, "Countering Adversarial Images using Input Transformations", ICLR 2018, section 3, whose λ
 * and share of kept pixels these are. |∇u| here is the Euclidean length of a pixel's two differences (Rudin, Osher, Fatemi,
 * 1992), where the paper adds up the lengths of whole rows' and columns' differences; it minimises by the split Bregman
 * method until nothing moves.
 *
 * Every step has a gradient. The adversary follows it, in the mean over draws that are not those that answer (EOT): Athalye,
 * Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 5.3.1.
 */
import { defineDefense } from '../src/core/defense.ts';
import { p } from '../src/core/params.ts';
import { smoothed } from '../src/core/total-variation.ts';
import { randomised } from '../src/core/wrappers/randomised.ts';
import type { tf } from '../src/tf.ts';

export default defineDefense({
  name: 'total-variation',
  title: 'Total variation minimisation',
  paper: 'https://arxiv.org/abs/1711.00117',
  params: {
    weight: p.number(0.03, 'λ: what variation costs beside squared error', { min: 0, max: 10 }),
    keep: p.number(0.5, 'share of the pixels that are kept', { min: 0, max: 1 }),
    iterations: p.integer(12, 'primal-dual steps', { min: 1, max: 1000 }),
    answers: p.integer(4, 'draws that an answer is the mean of', { min: 1, max: 64 }),
    draws: p.integer(4, 'other draws, whose mean the adversary follows', { min: 1, max: 64 }),
  },
  adversary: 'its gradient, in the mean over other draws than those that answer (EOT)',
  wrap: (classifier, { keep, weight, iterations, ...counts }, seeds) =>
    randomised(
      classifier,
      (x, noise) => {
        const [, height, width] = x.shape;
        const kept = noise([height, width, 1], 'uniform').less(keep).toFloat() as tf.Tensor4D;
        return smoothed(x, kept, { weight, iterations });
      },
      counts,
      seeds,
    ),
});

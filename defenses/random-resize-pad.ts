/**
 * Random resizing and padding: x ← pad(resize(x; r); t, l), the size r uniform from the network's own, 299 in the paper, to
 * just below that of the canvas, 331, the place (t, l) uniform on the canvas, zeros around.
 *
 * The paper's networks take the canvas as it is. Those here take one size, so the canvas is resized to it, which leaves the
 * picture 299/331 to 330/331 of its own size. An answer is the mean of the logits over several draws, as in the authors'
 * entry to the NIPS 2017 competition (30 there).
 *
 * Xie, Wang, Zhang, Ren, Yuille, "Mitigating Adversarial Effects Through Randomization", ICLR 2018, section 3.
 *
 * All is linear and has a gradient. The adversary follows the mean over draws that are not those that answer (EOT): Athalye,
 * Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 5.3.2.
 */
import { defineDefense } from '../src/core/defense.ts';
import { enlargement, resample } from '../src/core/interpolation.ts';
import { p } from '../src/core/params.ts';
import { randomised } from '../src/core/wrappers/randomised.ts';
import type { tf } from '../src/tf.ts';

export default defineDefense({
  name: 'random-resize-pad',
  title: 'Random resizing and padding',
  paper: 'https://arxiv.org/abs/1711.01991',
  params: {
    canvas: p.number(1.107, 'side of the padded canvas, in sides of the image (331/299)', { min: 1, max: 4 }),
    answers: p.integer(4, 'draws that an answer is the mean of', { min: 1, max: 64 }),
    draws: p.integer(8, 'other draws, whose mean the adversary follows', { min: 1, max: 64 }),
  },
  adversary: 'the mean over other draws than those that answer (EOT)',
  wrap: (classifier, { canvas, ...counts }, seeds) =>
    randomised(
      classifier,
      (x, noise) => {
        const [, height, width] = x.shape;
        const [share, top, left] = [0, 1, 2].map(() => noise([1, 1], 'uniform')) as [
          tf.Tensor3D,
          tf.Tensor3D,
          tf.Tensor3D,
        ];
        const rows = enlargement(height, Math.round(height * canvas), share, top);
        return resample(x, rows, enlargement(width, Math.round(width * canvas), share, left));
      },
      counts,
      seeds,
    ),
});

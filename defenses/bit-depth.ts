/**
 * Bit depth reduction: x ← ⌊x·(2ᵇ - 1)⌉ / (2ᵇ - 1), so that a pixel has 2ᵇ levels left. What lies half-way goes to the even
 * level.
 *
 * Xu, Evans, Qi, "Feature Squeezing: Detecting Adversarial Examples in Deep Neural Networks", NDSS 2018, section III-A (1 bit
 * for digits, 4 or 5 for colour); Guo, Rana, Cisse, van der Maaten, "Countering Adversarial Images using Input
 * Transformations", ICLR 2018, section 3 (3 bits).
 *
 * Rounding has no gradient. The adversary rounds on the way forward and goes around it on the way back: Athalye, Carlini,
 * Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 5.2.1.
 */
import { defineDefense } from '../src/core/defense.ts';
import { p } from '../src/core/params.ts';
import { backwardPass } from '../src/core/wrappers/backward-pass.ts';
import { preprocess } from '../src/core/wrappers/preprocess.ts';
import type { tf } from '../src/tf.ts';

export default defineDefense({
  name: 'bit-depth',
  title: 'Bit depth reduction',
  paper: 'https://arxiv.org/abs/1704.01155',
  params: {
    bits: p.integer(3, 'bits that a channel of a pixel keeps', { min: 1, max: 8 }),
  },
  adversary: 'the identity in place of the rounding (BPDA)',
  wrap: (classifier, { bits }) => {
    const most = 2 ** bits - 1;
    const round = (x: tf.Tensor4D): tf.Tensor4D => x.mul(most).round().div(most);
    return { classifier: preprocess(classifier, backwardPass({ forward: round })) };
  },
});

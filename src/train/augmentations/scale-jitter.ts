/**
 * Objects at many sizes: the image is scaled by a random factor, then a window of its old size is cut out at random.
 *
 * Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, section 3.1, where
 * the short side S of the image is drawn uniformly and 224 pixels are cut out; the factor here is S / 224. The paper's
 * images are always larger than the window (1.14 to 2.29); below 1, zeros surround what became smaller.
 */
import { usageError } from '../../core/errors.ts';
import { p } from '../../core/params.ts';
import type { tf } from '../../tf.ts';
import { defineAugmentation } from '../augmentation.ts';
import { magnify } from '../magnify.ts';

const factor = { min: 1 / 16, max: 16 };

export const scaleJitter = defineAugmentation({
  name: 'scale-jitter',
  title: 'Random sizes, then a random window',
  paper: 'https://arxiv.org/abs/1409.1556',
  params: {
    least: p.number(0.8, 'the smallest factor', factor),
    most: p.number(1.25, 'the largest factor', factor),
  },
  check: ({ least, most }) => {
    if (least > most) throw usageError(`--scale-jitter.least is ${least}; it must not be above most, which is ${most}`);
  },
  apply: (x, { noise, params: { least, most } }) => {
    const scale = noise([1, 1], 'uniform')
      .mul(most - least)
      .add(least) as tf.Tensor3D;
    // Negative where the image became smaller: then it is what moves inside the window.
    const place = (size: number): tf.Tensor3D =>
      scale
        .sub(1)
        .mul(size)
        .mul(noise([1, 1], 'uniform')) as tf.Tensor3D;
    const window = { scale, top: place(x.shape[1]), left: place(x.shape[2]) };
    // Weights that add up to 1 may exceed it by a rounding.
    return magnify(x, window).clipByValue(0, 1) as tf.Tensor4D;
  },
});

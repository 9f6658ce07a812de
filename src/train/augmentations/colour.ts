/**
 * Light of another strength and colour: to every pixel of an image is added Σᵢ αᵢ λᵢ pᵢ, where pᵢ and λᵢ are the
 * eigenvectors and eigenvalues of the covariance of the colours of the training images (pixels in [0,1]), and αᵢ normal
 * with the deviation .1.
 *
 * Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, section 4.1.
 *
 * With the covariance C = Σᵢ λᵢ pᵢ pᵢᵀ that sum is αC for a normal vector α in any orthonormal basis: no eigenvector is
 * needed.
 */
import { p } from '../../core/params.ts';
import { tf } from '../../tf.ts';
import { defineAugmentation } from '../augmentation.ts';

export const colour = defineAugmentation({
  name: 'colour',
  title: 'Light of another strength and colour',
  paper: 'https://papers.nips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html',
  params: { deviation: p.number(0.1, 'deviation of the random factors', { min: 0 }) },
  needsStatistics: true,
  apply: (x, { noise, params: { deviation }, statistics }) => {
    if (statistics === undefined) throw new Error('colour needs the statistics of the training images');
    const channels = x.shape[3];
    const covariance = tf.tensor2d(statistics.covariance.map((row) => [...row]));
    const normal = noise([channels], 'normal') as tf.Tensor2D;
    const change = normal.mul(deviation).matMul(covariance).reshape([-1, 1, 1, channels]);
    return x.add(change).clipByValue(0, 1) as tf.Tensor4D;
  },
});

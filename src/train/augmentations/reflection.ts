/**
 * Every second image, at random, seen in a mirror: left and right change places.
 *
 * Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, section 4.1.
 */
import { p } from '../../core/params.ts';
import { tf } from '../../tf.ts';
import { defineAugmentation } from '../augmentation.ts';

export const reflection = defineAugmentation({
  name: 'reflection',
  title: 'Horizontal reflections',
  paper: 'https://papers.nips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html',
  params: { share: p.number(0.5, 'share of the images that are reflected', { min: 0, max: 1 }) },
  apply: (x, { noise, params: { share } }) => tf.where(noise([1, 1, 1], 'uniform').less(share), x.reverse(2), x),
});

/**
 * Random shifts by whole pixels, zeros coming in at the border.
 *
 * Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, section 4.1,
 * trains on random crops of 224 out of 256 pixels. Images that are no larger than the network's input are padded with zeros
 * first: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2, with 4 pixels.
 */
import { p } from '../../core/params.ts';
import { tf } from '../../tf.ts';
import { defineAugmentation } from '../augmentation.ts';
import { magnify } from '../magnify.ts';

export const translation = defineAugmentation({
  name: 'translation',
  title: 'Shifts by whole pixels',
  paper: 'https://papers.nips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html',
  params: { pixels: p.integer(4, 'the farthest shift in each direction', { min: 0 }) },
  apply: (x, { noise, params: { pixels } }) => {
    const shift = (): tf.Tensor3D =>
      noise([1, 1], 'uniform')
        .mul(2 * pixels + 1)
        .floor()
        .sub(pixels) as tf.Tensor3D;
    return magnify(x, { scale: tf.ones([x.shape[0], 1, 1]), top: shift(), left: shift() });
  },
});

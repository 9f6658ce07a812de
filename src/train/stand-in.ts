import { tf } from '../tf.ts';

/**
 * Logits [B, K] that cost nothing and depend smoothly on the images: the network's understudy in a rehearsal, where only
 * the draws of noise matter.
 */
export const standInLogits =
  (classes: number) =>
  (x: tf.Tensor4D): tf.Tensor2D =>
    x.mean([1, 2, 3]).expandDims(1).mul(tf.range(0, classes)) as tf.Tensor2D;

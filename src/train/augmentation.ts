import type { Noise } from '../core/ball.ts';
import type { tf } from '../tf.ts';

/**
 * A random change of the training images that keeps their class (shift, flip, crop), traced into the training step before
 * anything else sees them. Pure: images [B, H, W, C] in [0,1] to the same, all randomness from `noise`.
 */
export interface Augmentation {
  readonly name: string;
  apply(x: tf.Tensor4D, noise: Noise): tf.Tensor4D;
}

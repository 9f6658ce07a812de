/** Momentum, as the attacks made to transfer between networks use it. */
import type { tf } from '../tf.ts';
import { sizeOf, TINY } from './ball.ts';

/**
 * μ·v + g/‖g‖₁, the new velocity: [B, H, W, C]. The norm is the sum over one image, so that every step counts alike
 * whatever the size of its gradient; a zero gradient adds nothing.
 *
 * Dong et al., "Boosting Adversarial Attacks with Momentum", CVPR 2018, equation 6.
 *
 * @param velocity - v [B, H, W, C]
 * @param gradient - g [B, H, W, C]
 * @param decay - μ
 */
export const accumulate = (velocity: tf.Tensor4D, gradient: tf.Tensor4D, decay: number): tf.Tensor4D =>
  velocity.mul(decay).add(gradient.div(sizeOf('L1', gradient).maximum(TINY)));

/**
 * Local response normalisation: y = x / (k + α Σ x²)^β, the sum over `size` neighbouring channels at the same place.
 *
 * Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, section 3.3.
 */
import { tf } from '../tf.ts';

export interface LocalResponseOptions {
  /** How many channels are summed over: an odd number. */
  readonly size: number;
  readonly k: number;
  /** The factor of the sum itself; libraries that divide by `size` have `size` times this. */
  readonly alpha: number;
  readonly beta: number;
}

/** Of maps [B, H, W, C]. */
export class LocalResponseNormalisation extends tf.layers.Layer {
  static readonly className = 'GibbonLocalResponseNormalisation';
  readonly #options: LocalResponseOptions;

  constructor(name: string, options: LocalResponseOptions) {
    super({ name });
    this.#options = options;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const { size, k, alpha, beta } = this.#options;
    return tf.localResponseNormalization(x, (size - 1) / 2, k, alpha, beta);
  }
}

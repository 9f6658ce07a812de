/**
 * Dropout: in training each value is zeroed with probability `rate` and the others are scaled by 1 / (1 - rate); in
 * inference, and in a training pass that is `still`, nothing happens.
 *
 * Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: A Simple Way to Prevent Neural Networks from
 * Overfitting", JMLR 15, 2014, in PyTorch's scaling.
 *
 * Its randomness comes in as an argument, `model.apply(x, { training: true, noise })`. TensorFlow.js's own layer draws
 * inside, and in a function that is traced once and called often that draw would be the same for ever.
 */
import type { Noise } from '../core/ball.ts';
import { tf } from '../tf.ts';

export class Dropout extends tf.layers.Layer {
  static readonly className = 'GibbonDropout';
  readonly #rate: number;

  constructor(name: string, rate: number) {
    super({ name });
    this.#rate = rate;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return inputShape;
  }

  override call(
    inputs: tf.Tensor | tf.Tensor[],
    { training, still, noise }: { training?: boolean; still?: boolean; noise?: Noise },
  ): tf.Tensor {
    const x = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
    if (training !== true || still === true) return x;
    if (noise === undefined) {
      throw new Error(`${this.name} drops out at random; give trainingLogits a noise source as its third argument`);
    }
    return tf.tidy(() => {
      const kept = noise(x.shape.slice(1), 'uniform').greater(this.#rate).toFloat();
      return x.mul(kept).div(1 - this.#rate);
    });
  }
}

import { tf } from '../tf.ts';

/**
 * Averages maps of any size down (or up) to `size` x `size`, as torch.nn.AdaptiveAvgPool2d: cell i covers the rows
 * ⌊i·H / size⌋ up to, not including, ⌈(i + 1)·H / size⌉, and likewise the columns.
 */
export class AdaptiveAveragePool extends tf.layers.Layer {
  static readonly className = 'GibbonAdaptiveAveragePool';
  readonly #size: number;

  constructor(name: string, size: number) {
    super({ name });
    this.#size = size;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, , , channels] = inputShape as tf.Shape;
    return [batch ?? null, this.#size, this.#size, channels ?? null];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    return tf.tidy(() => averageAlong(averageAlong(x, 1, this.#size), 2, this.#size));
  }
}

/** The averages of `size` ranges along one axis. */
function averageAlong(x: tf.Tensor4D, axis: 1 | 2, size: number): tf.Tensor4D {
  const length = x.shape[axis];
  const cells = Array.from({ length: size }, (_, i) => {
    const start = Math.floor((i * length) / size);
    const end = Math.ceil(((i + 1) * length) / size);
    const from = [0, 0, 0, 0];
    const extent = [-1, -1, -1, -1];
    from[axis] = start;
    extent[axis] = end - start;
    return x
      .slice(from as [number, number, number, number], extent as [number, number, number, number])
      .mean(axis, true);
  });
  return tf.concat(cells as tf.Tensor4D[], axis);
}

/** Pooling as PyTorch counts it: padding on each side (which is never the maximum), windows rounded down or up. */
import { tf } from '../tf.ts';

export interface PoolOptions {
  /** Height and width of the window. */
  readonly size: number;
  readonly stride: number;
  /** Rows and columns added on each side. */
  readonly padding: number;
  /** Whether a last window that sticks out counts. */
  readonly ceil: boolean;
}

/** Maxima or means of windows: [B, H, W, C] to [B, h, w, C]. */
export class Pool extends tf.layers.Layer {
  static readonly className = 'GibbonPool';
  readonly #kind: 'max' | 'average';
  readonly #options: PoolOptions;

  constructor(name: string, kind: 'max' | 'average', options: PoolOptions) {
    super({ name });
    this.#kind = kind;
    this.#options = options;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, height, width, channels] = inputShape as tf.Shape;
    return [batch ?? null, this.#windows(height as number), this.#windows(width as number), channels ?? null];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const { size, stride } = this.#options;
    const pool = this.#kind === 'max' ? tf.maxPool : tf.avgPool;
    return pool(x, size, stride, [[0, 0], this.#paddings(x.shape[1]), this.#paddings(x.shape[2]), [0, 0]]);
  }

  /** How many windows lie along a side. */
  #windows(length: number): number {
    const { size, stride, padding, ceil } = this.#options;
    return (ceil ? Math.ceil : Math.floor)((length + 2 * padding - size) / stride) + 1;
  }

  /**
   * Before and after a side: so much that the last window fits. (Told to round up, TensorFlow.js would forget it in the
   * gradient.)
   */
  #paddings(length: number): [before: number, after: number] {
    const { size, stride, padding } = this.#options;
    const reached = (this.#windows(length) - 1) * stride + size;
    return [padding, Math.max(padding, reached - length - padding)];
  }
}

/**
 * Convolutions as PyTorch counts them: zeros on each side, and filters in groups that each see only their share of the
 * channels. TensorFlow.js has such layers too, but they know only the paddings `same` and `valid`, and no groups.
 */
import { tf } from '../tf.ts';

export interface ConvolutionOptions {
  readonly name: string;
  readonly filters: number;
  /** Height and width of the filters. */
  readonly size: number;
  readonly stride: number;
  /** Zeros added on each side. */
  readonly padding: number;
  /** The filters of a group see that group's channels alone. As many groups as channels make it depthwise. */
  readonly groups: number;
  readonly bias: boolean;
}

/** Maps [B, H, W, C] to [B, h, w, filters]. Weights: `kernel` [size, size, C / groups, filters] and `bias` [filters]. */
export class Convolution extends tf.layers.Layer {
  static readonly className = 'GibbonConvolution';
  readonly #options: ConvolutionOptions;
  #kernel: tf.LayerVariable | undefined;
  #bias: tf.LayerVariable | undefined;

  constructor(options: ConvolutionOptions) {
    super({ name: options.name });
    this.#options = options;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const { name, filters, size, groups, bias } = this.#options;
    const channels = (inputShape as tf.Shape).at(-1) as number;
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new Error(`${name}: ${channels} channels and ${filters} filters do not divide into ${groups} groups`);
    }
    const zeros = tf.initializers.zeros();
    this.#kernel = this.addWeight('kernel', [size, size, channels / groups, filters], 'float32', zeros);
    if (bias) this.#bias = this.addWeight('bias', [filters], 'float32', zeros);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const { filters, size, stride, padding } = this.#options;
    const [batch, height, width] = inputShape as tf.Shape;
    const windows = (length: number): number => Math.floor((length + 2 * padding - size) / stride) + 1;
    return [batch ?? null, windows(height as number), windows(width as number), filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    return tf.tidy(() => {
      const maps = this.#convolve(x, this.#kernel?.read() as tf.Tensor4D);
      return this.#bias === undefined ? maps : maps.add(this.#bias.read());
    });
  }

  #convolve(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor {
    const { stride, padding, groups, filters } = this.#options;
    if (groups === 1) return tf.conv2d(x, kernel, stride, padding);
    if (groups === x.shape[3] && groups === filters) {
      // TensorFlow's depthwise kernels are [size, size, channels, multiplier].
      return tf.depthwiseConv2d(x, kernel.transpose([0, 1, 3, 2]) as tf.Tensor4D, stride, padding);
    }
    const kernels = kernel.split(groups, 3);
    const parts = x.split(groups, 3) as tf.Tensor4D[];
    return tf.concat(
      parts.map((part, i) => tf.conv2d(part, kernels[i] as tf.Tensor4D, stride, padding)),
      3,
    );
  }
}

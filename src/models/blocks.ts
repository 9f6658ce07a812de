/**
 * The blocks that architectures are written with. Each is a function of a name, because the name is what weights are
 * found by: a layer `features.0` holds what a PyTorch state dict calls `features.0.weight` and `features.0.bias`.
 * Activations are [B, H, W, C]; padding, order of features and defaults are PyTorch's.
 */
import { tf } from '../tf.ts';
import { AdaptiveAveragePool } from './adaptive-pool.ts';
import { BatchNorm } from './batch-norm.ts';
import { Dropout } from './dropout.ts';

/** Layers waiting for their input. */
export type Block = (x: tf.SymbolicTensor) => tf.SymbolicTensor;
/** A block waiting for its name. */
export type Named = (name: string) => Block;

const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor): tf.SymbolicTensor => layer.apply(x) as tf.SymbolicTensor;
const block =
  (make: (name: string) => tf.layers.Layer): Named =>
  (name) =>
  (x) =>
    apply(make(name), x);

/** One block after the other. */
export const chain =
  (...blocks: readonly Block[]): Block =>
  (x) =>
    blocks.reduce((value, next) => next(value), x);

/** Blocks named by their place, as torch.nn.Sequential names its modules: `features.0`, `features.1`, ... */
export const sequential =
  (...blocks: readonly Named[]): Named =>
  (name) =>
    chain(...blocks.map((make, i) => make(`${name}.${i}`)));

export interface ConvOptions {
  readonly stride?: number;
  /** Zeros added on each side. */
  readonly padding?: number;
  readonly bias?: boolean;
}

/** A convolution with square kernels. */
export const conv =
  (filters: number, kernelSize: number, { stride = 1, padding = 0, bias = true }: ConvOptions = {}): Named =>
  (name) =>
  (x) => {
    // TensorFlow's `same` is PyTorch's padding only where it is symmetric: stride 1 and an odd kernel.
    const same = stride === 1 && 2 * padding === kernelSize - 1;
    const padded = same || padding === 0 ? x : pad(2 * padding, 2 * padding)(`${name}.pad`)(x);
    const options = { kernelSize, filters, strides: stride, useBias: bias, kernelInitializer: 'zeros' } as const;
    return apply(tf.layers.conv2d({ ...options, padding: same ? 'same' : 'valid', name }), padded);
  };

/** A fully connected layer on [B, features]. */
export const dense = (units: number): Named =>
  block((name) => tf.layers.dense({ units, kernelInitializer: 'zeros', name }));

export const batchNorm = (): Named => block((name) => new BatchNorm({ name }));
export const relu = (): Named => block((name) => tf.layers.reLU({ name }));
export const dropout = (rate = 0.5): Named => block((name) => new Dropout(name, rate));

/** Zeros around the maps: so many more rows and columns, half of them before (an odd one comes after). */
export const pad = (rows: number, columns: number): Named => {
  const halves = (n: number): [number, number] => [Math.floor(n / 2), Math.ceil(n / 2)];
  return block((name) => tf.layers.zeroPadding2d({ padding: [halves(rows), halves(columns)], name }));
};

/** The maximum of each `size` x `size` window, the windows side by side. */
export const maxPool = (size: number): Named =>
  block((name) => tf.layers.maxPooling2d({ poolSize: size, strides: size, padding: 'valid', name }));

/** Average maps of `size` x `size`, whatever the input's. */
export const adaptiveAveragePool =
  (size: number): Named =>
  (name) =>
  (x) =>
    x.shape[1] === size && x.shape[2] === size ? x : apply(new AdaptiveAveragePool(name, size), x);

/** The mean of every map: [B, H, W, C] to [B, C]. */
export const globalAveragePool = (): Named => block((name) => tf.layers.globalAveragePooling2d({ name }));

/** [B, H, W, C] to [B, C·H·W], channel by channel: PyTorch's order, which the next layer's weights expect. */
export const flatten = (): Named => (name) =>
  chain(
    block((n) => tf.layers.permute({ dims: [3, 1, 2], name: n }))(`${name}.channels_first`),
    block((n) => tf.layers.flatten({ name: n }))(name),
  );

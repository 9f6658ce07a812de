/**
 * The blocks that architectures are written with. Each is a function of a name, because the name is what weights are
 * found by: a layer `features.0` holds what a PyTorch state dict calls `features.0.weight` and `features.0.bias`.
 * Activations are [B, H, W, C]; padding, order of features and defaults are PyTorch's.
 */
import { tf } from '../tf.ts';
import { AdaptiveAveragePool } from './adaptive-pool.ts';
import { BatchNorm } from './batch-norm.ts';
import { Convolution } from './convolution.ts';
import { Dropout } from './dropout.ts';
import { LocalResponseNormalisation, type LocalResponseOptions } from './local-response.ts';
import { Pool } from './pool.ts';

/** Layers waiting for their input. */
export type Block = (x: tf.SymbolicTensor) => tf.SymbolicTensor;
/** A block waiting for its name. */
export type Named = (name: string) => Block;

const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor =>
  layer.apply(x) as tf.SymbolicTensor;
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
export const sequential = (...blocks: readonly Named[]): Named => modules(Object.fromEntries(blocks.entries()));

/** Blocks one after the other, each with a name of its own below that of the whole: `layer1.0.conv1`. */
export const modules =
  (blocks: Readonly<Record<string, Named>>): Named =>
  (name) =>
    chain(...Object.entries(blocks).map(([part, make]) => make(`${name}.${part}`)));

/** Blocks side by side on the same input, their maps concatenated: [B, H, W, ΣC]. */
export const parallel =
  (branches: Readonly<Record<string, Named>>): Named =>
  (name) =>
  (x) =>
    concatenate(
      `${name}.concat`,
      Object.entries(branches).map(([part, make]) => make(`${name}.${part}`)(x)),
    );

/** Maps one behind the other along the channels. */
export const concatenate = (name: string, maps: readonly tf.SymbolicTensor[]): tf.SymbolicTensor =>
  maps.length === 1 ? (maps[0] as tf.SymbolicTensor) : apply(tf.layers.concatenate({ axis: -1, name }), [...maps]);

/** Maps of one shape, added up. */
export const sum = (name: string, maps: readonly tf.SymbolicTensor[]): tf.SymbolicTensor =>
  apply(tf.layers.add({ name }), [...maps]);

export interface ConvOptions {
  readonly stride?: number;
  /** Zeros added on each side. */
  readonly padding?: number;
  /** Filters see only their group's share of the channels. */
  readonly groups?: number;
  readonly bias?: boolean;
}

/** A convolution with square filters. */
export const conv = (
  filters: number,
  size: number,
  { stride = 1, padding = 0, groups = 1, bias = true }: ConvOptions = {},
): Named => block((name) => new Convolution({ name, filters, size, stride, padding, groups, bias }));

/** A fully connected layer on [B, features]. */
export const dense = (units: number): Named =>
  block((name) => tf.layers.dense({ units, kernelInitializer: 'zeros', name }));

/** Batch normalisation (Ioffe and Szegedy 2015), with running statistics once trained. */
export const batchNorm = (epsilon = 1e-5): Named => block((name) => new BatchNorm(name, epsilon));
export const localResponse = (options: LocalResponseOptions): Named =>
  block((name) => new LocalResponseNormalisation(name, options));
/** max(x, 0). */
export const relu = (): Named => block((name) => tf.layers.reLU({ name }));
/** min(max(0, x), 6) */
export const relu6 = (): Named => block((name) => tf.layers.activation({ activation: 'relu6', name }));
/** Dropout (Srivastava et al. 2014): active in training alone, its draws from the step's noise. */
export const dropout = (rate = 0.5): Named => block((name) => new Dropout(name, rate));

/** Zeros around the maps: so many more rows and columns, half of them before (an odd one comes after). */
export const pad = (rows: number, columns: number): Named => {
  const halves = (n: number): [number, number] => [Math.floor(n / 2), Math.ceil(n / 2)];
  return block((name) => tf.layers.zeroPadding2d({ padding: [halves(rows), halves(columns)], name }));
};

export interface WindowOptions {
  /** As far as the window is wide, unless told: windows side by side. */
  readonly stride?: number;
  readonly padding?: number;
  /** Whether a last window that sticks out counts. */
  readonly ceil?: boolean;
}

/** The maximum of each `size` x `size` window. */
export const maxPool = (size: number, { stride = size, padding = 0, ceil = false }: WindowOptions = {}): Named =>
  block((name) => new Pool(name, 'max', { size, stride, padding, ceil }));

/** The mean of each `size` x `size` window. */
export const averagePool = (size: number, { stride = size, padding = 0, ceil = false }: WindowOptions = {}): Named =>
  block((name) => new Pool(name, 'average', { size, stride, padding, ceil }));

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

/**
 * DenseNet: within a block every layer reads the maps of all layers before it, concatenated, and adds a few (the growth
 * rate) of its own. Nothing is learned twice, so few channels are enough.
 *
 * Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", CVPR 2017, table 1: DenseNet-BC with
 * bottlenecks of four times the growth rate and transitions that halve the channels.
 */
import type { Architecture } from '../core/architecture.ts';
import {
  averagePool,
  type Block,
  batchNorm,
  chain,
  concatenate,
  conv,
  dense,
  globalAveragePool,
  maxPool,
  modules,
  type Named,
  relu,
} from './blocks.ts';
import { defineArchitecture, type FormOptions, scaled, TORCHVISION } from './define-architecture.ts';

/** Table 1: how many layers each of the four blocks has. */
const LAYERS = {
  densenet121: [6, 12, 24, 16],
  densenet169: [6, 12, 32, 32],
} as const;

const GROWTH = 32;
const BOTTLENECK = 4;

/** BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3): the layer H of section 3, in its bottleneck form. */
const denseLayer = (growth: number): Named =>
  modules({
    norm1: batchNorm(),
    relu1: relu(),
    conv1: conv(BOTTLENECK * growth, 1, { bias: false }),
    norm2: batchNorm(),
    relu2: relu(),
    conv2: conv(growth, 3, { padding: 1, bias: false }),
  });

/** Equation 2: xₗ = H([x₀, x₁, …, xₗ₋₁]). */
const denseBlock =
  (name: string, layers: number, growth: number): Block =>
  (x) => {
    let all = x;
    for (let i = 1; i <= layers; i++) {
      const own = denseLayer(growth)(`${name}.denselayer${i}`)(all);
      all = concatenate(`${name}.concat${i}`, [all, own]);
    }
    return all;
  };

/** Halves the channels with a 1x1 convolution, and the side with a pool. */
const transition =
  (name: string): Block =>
  (x) =>
    modules({
      norm: batchNorm(),
      relu: relu(),
      conv: conv(Math.floor((x.shape.at(-1) as number) / 2), 1, { bias: false }),
      pool: averagePool(2),
    })(name)(x);

const blocks = (layers: readonly number[], growth: number): Block =>
  chain(
    ...layers.flatMap((count, i) => [
      ...(i === 0 ? [] : [transition(`features.transition${i}`)]),
      denseBlock(`features.denseblock${i + 1}`, count, growth),
    ]),
    batchNorm()('features.norm5'),
    relu()('features.relu5'),
  );

const head = (classes: number): Block => chain(globalAveragePool()('avgpool'), dense(classes)('classifier'));

const imagenet =
  (layers: readonly number[]) =>
  ({ classes, width }: FormOptions): Block =>
    chain(
      conv(scaled(2 * GROWTH, width), 7, { stride: 2, padding: 3, bias: false })('features.conv0'),
      batchNorm()('features.norm0'),
      relu()('features.relu0'),
      maxPool(3, { stride: 2, padding: 1 })('features.pool0'),
      blocks(layers, scaled(GROWTH, width)),
      head(classes),
    );

/** The same blocks behind a 3x3 convolution that halves the side once, where the table's stem halves it twice. */
const small =
  (layers: readonly number[]) =>
  ({ classes, width }: FormOptions): Block =>
    chain(
      conv(scaled(2 * GROWTH, width), 3, { stride: 2, padding: 1, bias: false })('features.conv0'),
      blocks(layers, scaled(GROWTH, width)),
      head(classes),
    );

const densenet = (name: keyof typeof LAYERS): Architecture =>
  defineArchitecture(
    {
      name,
      title: name.replace('densenet', 'DenseNet-'),
      paper: 'https://arxiv.org/abs/1608.06993',
      year: 2016,
      idea: 'Every layer reads the concatenated maps of all layers before it, and adds only a few of its own',
    },
    {
      imagenet: { width: 1, least: 32, normalisation: TORCHVISION, layers: imagenet(LAYERS[name]) },
      small: { width: 1 / 6, least: 15, layers: small(LAYERS[name]) },
    },
  );

/** DenseNet 121 and 169. */
export const densenets: readonly Architecture[] = (['densenet121', 'densenet169'] as const).map(densenet);

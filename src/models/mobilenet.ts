/**
 * MobileNet: a convolution in two cheap halves, one that filters every channel by itself (depthwise) and one that mixes the
 * channels at every pixel (pointwise, 1x1): about a ninth of the work of a 3x3 convolution. Made for phones.
 *
 * Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam, "MobileNets: Efficient Convolutional Neural Networks for
 * Mobile Vision Applications", 2017, table 1; Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and
 * Linear Bottlenecks", CVPR 2018, table 2. Names of the second are torchvision's.
 */
import type { Architecture } from '../core/architecture.ts';
import {
  type Block,
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  globalAveragePool,
  type Named,
  relu,
  relu6,
  sequential,
  sum,
} from './blocks.ts';
import { defineArchitecture, type FormOptions, scaled, TORCHVISION } from './define-architecture.ts';

/** Convolution, batch norm, activation. */
const unit = (channels: number, size: number, { stride = 1, groups = 1, activation = relu6 } = {}): Named =>
  sequential(conv(channels, size, { stride, padding: (size - 1) / 2, groups, bias: false }), batchNorm(), activation());

/** Every channel filtered by itself. */
const depthwise =
  (stride: number, activation: () => Named): Named =>
  (name) =>
  (x) => {
    const channels = x.shape.at(-1) as number;
    return unit(channels, 3, { stride, groups: channels, activation })(name)(x);
  };

/** Version 1, table 1: channels and stride of each depthwise separable layer. */
const SEPARABLE = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

const separable = (channels: number, stride: number): Named =>
  sequential(depthwise(stride, relu), unit(channels, 1, { activation: relu }));

const version1 =
  (rows: readonly (readonly [channels: number, stride: number])[]) =>
  ({ classes, width }: FormOptions): Block =>
    chain(
      sequential(
        unit(scaled(32, width), 3, { stride: 2, activation: relu }),
        ...rows.map(([channels, stride]) => separable(scaled(channels, width), stride)),
      )('features'),
      globalAveragePool()('avgpool'),
      dense(classes)('classifier'),
    );

/** Version 2, table 2: expansion, channels, repetitions and first stride of each stage of inverted residuals. */
const INVERTED = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * Widen, filter, squeeze: the maps that are kept are the narrow ones. The squeeze has no rectifier, which would destroy
 * information in so few channels (section 3.2); between equal maps the input is added.
 */
const invertedResidual =
  (expansion: number, channels: number, stride: number): Named =>
  (name) =>
  (x) => {
    const before = x.shape.at(-1) as number;
    const body = [
      ...(expansion === 1 ? [] : [unit(expansion * before, 1)]),
      depthwise(stride, relu6),
      conv(channels, 1, { bias: false }),
      batchNorm(),
    ];
    const squeezed = sequential(...body)(`${name}.conv`)(x);
    return stride === 1 && before === channels ? sum(`${name}.sum`, [x, squeezed]) : squeezed;
  };

const version2 =
  (rows: readonly (readonly [expansion: number, channels: number, count: number, stride: number])[], last: number) =>
  ({ classes, width }: FormOptions): Block => {
    const blocks = rows.flatMap(([expansion, channels, count, stride]) =>
      Array.from({ length: count }, (_, i) => [expansion, channels, i === 0 ? stride : 1] as const),
    );
    return chain(
      sequential(
        unit(scaled(32, width), 3, { stride: 2 }),
        ...blocks.map(([expansion, channels, stride]) => invertedResidual(expansion, scaled(channels, width), stride)),
        unit(scaled(last, width), 1),
      )('features'),
      globalAveragePool()('avgpool'),
      sequential(dropout(0.2), dense(classes))('classifier'),
    );
  };

/**
 * The small forms: the same rows for small images, with the first halving after the stem left out; and of version 2 a
 * narrower last layer, for ten classes instead of a thousand.
 */
const small = {
  separable: SEPARABLE.map(([channels, stride], i) => [channels, i === 1 ? 1 : stride] as const),
  inverted: INVERTED.map(([t, c, n, s], i) => [t, c, n, i === 1 ? 1 : s] as const),
};

export const mobilenets: readonly Architecture[] = [
  defineArchitecture(
    {
      name: 'mobilenet_v1',
      title: 'MobileNet V1',
      paper: 'https://arxiv.org/abs/1704.04861',
      year: 2017,
      idea: 'Filter every channel by itself, then mix channels pixel by pixel: a ninth of the work, made for phones',
    },
    {
      imagenet: { width: 1, least: 32, normalisation: TORCHVISION, layers: version1(SEPARABLE) },
      small: { width: 1 / 4, least: 8, layers: version1(small.separable) },
    },
  ),
  defineArchitecture(
    {
      name: 'mobilenet_v2',
      title: 'MobileNet V2',
      paper: 'https://arxiv.org/abs/1801.04381',
      year: 2018,
      idea: 'Depthwise separable convolutions between narrow maps: widen, filter each channel, squeeze without a rectifier',
    },
    {
      imagenet: { width: 1, least: 32, normalisation: TORCHVISION, layers: version2(INVERTED, 1280) },
      small: { width: 5 / 16, least: 8, layers: version2(small.inverted, 960) },
    },
  ),
];

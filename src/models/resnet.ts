/**
 * ResNet: a block learns what to add to its input, F(x) + x, so that a deeper network is never harder to train than a
 * shallower one: the identity is always within reach.
 *
 * He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1 and figure 5. In bottlenecks the
 * stride is in the 3x3 convolution, as torchvision has it (version 1.5).
 */
import type { Architecture } from '../core/architecture.ts';
import {
  type Block,
  batchNorm,
  chain,
  conv,
  dense,
  globalAveragePool,
  maxPool,
  modules,
  type Named,
  relu,
  sequential,
  sum,
} from './blocks.ts';
import { defineArchitecture, type FormOptions, scaled, TORCHVISION } from './define-architecture.ts';

/** Table 1: the kind of block, and how many of them each of the four stages has. */
const TABLE = {
  resnet18: { kind: 'basic', blocks: [2, 2, 2, 2] },
  resnet34: { kind: 'basic', blocks: [3, 4, 6, 3] },
  resnet50: { kind: 'bottleneck', blocks: [3, 4, 6, 3] },
} as const;

const CHANNELS = [64, 128, 256, 512] as const;

interface Residual {
  readonly name: string;
  readonly channels: number;
  readonly stride: number;
  /** Whether the identity does not fit and becomes a 1x1 convolution. */
  readonly projected: boolean;
}

/** relu(F(x) + x), where F ends without a rectifier (figure 2). */
const residual =
  ({ name, channels, stride, projected }: Residual, body: Named): Block =>
  (x) => {
    const projection = sequential(conv(channels, 1, { stride, bias: false }), batchNorm());
    const shortcut = projected ? projection(`${name}.downsample`)(x) : x;
    return relu()(`${name}.relu`)(sum(`${name}.sum`, [body(name)(x), shortcut]));
  };

const KINDS = {
  /** Two 3x3 convolutions. */
  basic: {
    expansion: 1,
    body: (channels: number, stride: number): Named =>
      modules({
        conv1: conv(channels, 3, { stride, padding: 1, bias: false }),
        bn1: batchNorm(),
        relu1: relu(),
        conv2: conv(channels, 3, { padding: 1, bias: false }),
        bn2: batchNorm(),
      }),
  },
  /** A 3x3 convolution between 1x1 ones that squeeze the channels to a quarter and widen them again. */
  bottleneck: {
    expansion: 4,
    body: (channels: number, stride: number): Named =>
      modules({
        conv1: conv(channels, 1, { bias: false }),
        bn1: batchNorm(),
        relu1: relu(),
        conv2: conv(channels, 3, { stride, padding: 1, bias: false }),
        bn2: batchNorm(),
        relu2: relu(),
        conv3: conv(4 * channels, 1, { bias: false }),
        bn3: batchNorm(),
      }),
  },
} as const;

type Table = (typeof TABLE)[keyof typeof TABLE];

/** `layer1` to `layer4`: from the second on, the first block halves the side. */
function stages({ kind, blocks }: Table, width: number): Block {
  const { expansion, body } = KINDS[kind];
  const stage = (count: number, i: number): readonly Block[] =>
    Array.from({ length: count }, (_, j) => {
      const channels = scaled(CHANNELS[i] as number, width);
      const stride = i > 0 && j === 0 ? 2 : 1;
      const projected = j === 0 && (i > 0 || expansion > 1);
      const shape = { name: `layer${i + 1}.${j}`, channels: expansion * channels, stride, projected };
      return residual(shape, body(channels, stride));
    });
  return chain(...blocks.flatMap(stage));
}

const head = (classes: number): Block => chain(globalAveragePool()('avgpool'), dense(classes)('fc'));

const imagenet =
  (table: Table) =>
  ({ classes, width }: FormOptions): Block =>
    chain(
      conv(scaled(64, width), 7, { stride: 2, padding: 3, bias: false })('conv1'),
      batchNorm()('bn1'),
      relu()('relu'),
      maxPool(3, { stride: 2, padding: 1 })('maxpool'),
      stages(table, width),
      head(classes),
    );

/** The same stages behind a 3x3 convolution that keeps the side, as the paper's own small networks begin (section 4.2). */
const small =
  (table: Table) =>
  ({ classes, width }: FormOptions): Block =>
    chain(
      conv(scaled(64, width), 3, { padding: 1, bias: false })('conv1'),
      batchNorm()('bn1'),
      relu()('relu'),
      stages(table, width),
      head(classes),
    );

const resnet = (name: keyof typeof TABLE): Architecture =>
  defineArchitecture(
    {
      name,
      title: name.replace('resnet', 'ResNet-'),
      paper: 'https://arxiv.org/abs/1512.03385',
      year: 2015,
      idea: 'Blocks learn what to add to their input, so the identity is always within reach and depth does no harm',
    },
    {
      imagenet: { width: 1, least: 32, normalisation: TORCHVISION, layers: imagenet(TABLE[name]) },
      small: { width: 1 / 8, least: 8, layers: small(TABLE[name]) },
    },
  );

/** ResNet 18, 34 and 50. */
export const resnets: readonly Architecture[] = (['resnet18', 'resnet34', 'resnet50'] as const).map(resnet);

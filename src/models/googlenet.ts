/**
 * GoogLeNet: nine Inception modules, each looking at the same maps through windows of 1x1, 3x3, 5x5 and a pool, side by
 * side, and paying for the wide windows by first squeezing the channels with 1x1 convolutions (figure 2b).
 *
 * Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, "Going Deeper with Convolutions", CVPR 2015,
 * table 1.
 */
import type { Architecture } from '../core/architecture.ts';
import {
  adaptiveAveragePool,
  averagePool,
  type Block,
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  localResponse,
  maxPool,
  modules,
  type Named,
  parallel,
  relu,
  sequential,
} from './blocks.ts';
import { defineArchitecture, type FormOptions, type Layers, scaled } from './define-architecture.ts';

/** Table 1, the columns of the Inception modules: what each branch ends with, and what it is squeezed to before. */
const INCEPTION = {
  // 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection
  '3a': [64, 96, 128, 16, 32, 32],
  '3b': [128, 128, 192, 32, 96, 64],
  '4a': [192, 96, 208, 16, 48, 64],
  '4b': [160, 112, 224, 24, 64, 64],
  '4c': [128, 128, 256, 24, 64, 64],
  '4d': [112, 144, 288, 32, 64, 64],
  '4e': [256, 160, 320, 32, 128, 128],
  '5a': [256, 160, 320, 32, 128, 128],
  '5b': [384, 192, 384, 48, 128, 128],
} as const;

type ModuleName = keyof typeof INCEPTION;
type Row = readonly [number, number, number, number, number, number];

const row = (name: ModuleName, width: number, rounded = scaled): Row =>
  INCEPTION[name].map((channels) => rounded(channels, width)) as unknown as Row;

/** Whole vectors of channels: a machine computes 16 in the time of the three that the narrowest branch would have. */
const VECTOR = 16;
const vectors = (channels: number, width: number): number => VECTOR * scaled(channels / VECTOR, width);

/** Halves the side, rounding up. */
const halvingPool = (size: number): Named => maxPool(size, { stride: 2, ceil: true });
/** The pool inside a module keeps the side. */
const steadyPool = (): Named => maxPool(3, { stride: 1, padding: 1 });

/** Of the auxiliary classifiers (section 5). */
const AUXILIARY_DROPOUT = 0.7;
const AUXILIARY_CHANNELS = 128;
const AUXILIARY_HIDDEN = 1024;

/** A convolution that keeps the side, batch norm, rectifier. */
const unit = (channels: number, size: number, stride = 1): Named =>
  modules({
    conv: conv(channels, size, { stride, padding: (size - 1) / 2, bias: false }),
    bn: batchNorm(1e-3),
    relu: relu(),
  });

/** A module with batch norm; `wide` is the size of its widest window. */
const inception = ([one, reduce3, three, reduce5, five, pool]: Row, wide: number): Named =>
  parallel({
    branch1: unit(one, 1),
    branch2: sequential(unit(reduce3, 1), unit(three, 3)),
    branch3: sequential(unit(reduce5, 1), unit(five, wide)),
    branch4: sequential(steadyPool(), unit(pool, 1)),
  });

/** What a form makes of table 1's rows. */
interface Parts {
  /** From the image to the maps that 3a sees. */
  readonly stem: Block;
  readonly module: (name: ModuleName) => Block;
  /** Before 4a and before 5a. */
  readonly pool3: Block;
  readonly pool4: Block;
  /** From the maps of 5b to logits. */
  readonly head: Block;
  /** They hang on 4a and on 4d while training. */
  readonly auxiliary: readonly [on4a: Block, on4d: Block];
}

/** Table 1 from top to bottom (figure 3). */
const table =
  ({ stem, module, pool3, pool4, head, auxiliary: [on4a, on4d] }: Parts): Layers =>
  (image) => {
    const to4a = chain(stem, module('3a'), module('3b'), pool3, module('4a'))(image);
    const to4d = chain(module('4b'), module('4c'), module('4d'))(to4a);
    const logits = chain(module('4e'), pool4, module('5a'), module('5b'), head)(to4d);
    return [logits, on4a(to4a), on4d(to4d)];
  };

/**
 * torchvision's network: batch norm (with ε = 10⁻³) everywhere, no local response normalisation, and 3x3 windows in the
 * branch that should have 5x5 (a slip in its ancestor that its weights have learned with).
 */
const imagenet = ({ classes, width }: FormOptions): Layers => {
  const auxiliary = (name: string) =>
    chain(
      adaptiveAveragePool(4)(`${name}.pool`),
      unit(scaled(AUXILIARY_CHANNELS, width), 1)(`${name}.conv`),
      flatten()(`${name}.flatten`),
      dense(scaled(AUXILIARY_HIDDEN, width))(`${name}.fc1`),
      relu()(`${name}.relu`),
      dropout(AUXILIARY_DROPOUT)(`${name}.dropout`),
      dense(classes)(`${name}.fc2`),
    );
  return table({
    stem: chain(
      unit(scaled(64, width), 7, 2)('conv1'),
      halvingPool(3)('maxpool1'),
      unit(scaled(64, width), 1)('conv2'),
      unit(scaled(192, width), 3)('conv3'),
      halvingPool(3)('maxpool2'),
    ),
    module: (name) => inception(row(name, width), 3)(`inception${name}`),
    pool3: halvingPool(3)('maxpool3'),
    pool4: halvingPool(2)('maxpool4'),
    head: chain(globalAveragePool()('avgpool'), dropout(0.2)('dropout'), dense(classes)('fc')),
    auxiliary: [auxiliary('aux1'), auxiliary('aux2')],
  });
};

/**
 * Table 1 as it stands: biases, no batch norm, local response normalisation in the stem, real 5x5 windows; 6,998,552
 * parameters without the auxiliary classifiers. Layers are named as in the authors' published Caffe model, whose weights fit
 * (images in the order blue, green, red).
 */
const paper = ({ classes, width }: FormOptions): Layers => {
  const layer = (name: string, channels: number, size: number, stride = 1) =>
    chain(conv(scaled(channels, width), size, { stride, padding: (size - 1) / 2 })(name), relu()(`${name}.relu`));
  const normalise = localResponse({ size: 5, k: 1, alpha: 1e-4 / 5, beta: 0.75 });
  const branch =
    (...layers: readonly Block[]): Named =>
    () =>
      chain(...layers);
  const module = (name: ModuleName) => {
    const [one, reduce3, three, reduce5, five, pool] = INCEPTION[name];
    const own = (part: string): string => `inception_${name}/${part}`;
    return parallel({
      one: branch(layer(own('1x1'), one, 1)),
      three: branch(layer(own('3x3_reduce'), reduce3, 1), layer(own('3x3'), three, 3)),
      five: branch(layer(own('5x5_reduce'), reduce5, 1), layer(own('5x5'), five, 5)),
      pool: branch(steadyPool()(own('pool')), layer(own('pool_proj'), pool, 1)),
    })(own('output'));
  };
  const auxiliary = (name: string) =>
    chain(
      averagePool(5, { stride: 3 })(`${name}/ave_pool`),
      layer(`${name}/conv`, AUXILIARY_CHANNELS, 1),
      flatten()(`${name}/flatten`),
      dense(scaled(AUXILIARY_HIDDEN, width))(`${name}/fc`),
      relu()(`${name}/relu_fc`),
      dropout(AUXILIARY_DROPOUT)(`${name}/drop_fc`),
      dense(classes)(`${name}/classifier`),
    );
  return table({
    stem: chain(
      layer('conv1/7x7_s2', 64, 7, 2),
      halvingPool(3)('pool1/3x3_s2'),
      normalise('pool1/norm1'),
      layer('conv2/3x3_reduce', 64, 1),
      layer('conv2/3x3', 192, 3),
      normalise('conv2/norm2'),
      halvingPool(3)('pool2/3x3_s2'),
    ),
    module,
    pool3: halvingPool(3)('pool3/3x3_s2'),
    pool4: halvingPool(3)('pool4/3x3_s2'),
    head: chain(
      globalAveragePool()('pool5/7x7_s1'),
      dropout(0.4)('pool5/drop_7x7_s1'),
      dense(classes)('loss3/classifier'),
    ),
    auxiliary: [auxiliary('loss1'), auxiliary('loss2')],
  });
};

/**
 * The same nine modules, with their real 5x5 windows, for small images: the stem halves the side once instead of three
 * times, and the pools that halve do not overlap. Batch norm makes the auxiliary classifiers, which were there to bring
 * gradients down, unnecessary.
 */
const small = ({ classes, width }: FormOptions): Layers => {
  const module = (name: ModuleName) => inception(row(name, width, vectors), 5)(`inception${name}`);
  return chain(
    unit(vectors(64, width), 3)('conv1'),
    halvingPool(2)('maxpool1'),
    unit(vectors(64, width), 1)('conv2'),
    unit(vectors(192, width), 3)('conv3'),
    module('3a'),
    module('3b'),
    halvingPool(2)('maxpool3'),
    ...(['4a', '4b', '4c', '4d', '4e'] as const).map(module),
    halvingPool(2)('maxpool4'),
    module('5a'),
    module('5b'),
    globalAveragePool()('avgpool'),
    dropout(0.2)('dropout'),
    dense(classes)('fc'),
  );
};

export const googlenet: Architecture = defineArchitecture(
  {
    name: 'googlenet',
    title: 'GoogLeNet',
    paper: 'https://arxiv.org/abs/1409.4842',
    year: 2014,
    idea: 'Windows of several sizes side by side, each made cheap by squeezing the channels first',
  },
  {
    // torchvision's weights descend from TensorFlow's, which take pixels in [-1, 1].
    imagenet: {
      width: 1,
      least: 32,
      normalisation: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
      layers: imagenet,
    },
    // Caffe's: pixels of 0 to 255 minus the mean of ImageNet, in the order blue, green, red.
    paper: {
      width: 1,
      least: 193,
      normalisation: { mean: [123 / 255, 117 / 255, 104 / 255], std: [1 / 255, 1 / 255, 1 / 255], order: 'bgr' },
      layers: paper,
    },
    small: { width: 1 / 6, least: 8, layers: small },
  },
);

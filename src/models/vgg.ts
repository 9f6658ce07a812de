/**
 * VGG: nothing but 3x3 convolutions, in five stages; where the map's side halves, the channels double. Two 3x3 layers see
 * as far as one 5x5, three as far as one 7x7, with fewer weights and more nonlinearities in between (section 2.3).
 *
 * Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, table 1.
 */
import type { Architecture } from '../core/architecture.ts';
import {
  adaptiveAveragePool,
  type Block,
  batchNorm,
  chain,
  conv,
  dense,
  dropout,
  flatten,
  globalAveragePool,
  maxPool,
  type Named,
  pad,
  relu,
  sequential,
} from './blocks.ts';
import { defineArchitecture, type FormOptions, scaled, TORCHVISION } from './define-architecture.ts';

/** Table 1: how many convolutions each of the five stages has. (Column C, with its 1x1 layers, is D's poorer twin.) */
const CONVOLUTIONS = {
  vgg11: [1, 1, 2, 2, 2], // A
  vgg13: [2, 2, 2, 2, 2], // B
  vgg16: [2, 2, 3, 3, 3], // D
  vgg19: [2, 2, 4, 4, 4], // E
} as const;

const CHANNELS = [64, 128, 256, 512, 512] as const;
const HIDDEN = 4096;

/** Five poolings divide the side of the image by this. */
const REDUCTION = 2 ** CHANNELS.length;

type Stages = readonly number[];

/** The five stages, numbered through as torchvision does. */
function features(stages: Stages, width: number, unit: (channels: number) => readonly Named[]): Block {
  const stage = (convolutions: number, i: number): readonly Named[] => {
    const channels = scaled(CHANNELS[i] as number, width);
    return [...Array.from({ length: convolutions }, () => unit(channels)).flat(), maxPool(2)];
  };
  return sequential(...stages.flatMap(stage))('features');
}

/** The paper's network in torchvision's form, which takes any size from 32 up; the paper's is 224, where `avgpool` is idle. */
const imagenet =
  (stages: Stages) =>
  ({ classes, width }: FormOptions): Block =>
    chain(
      features(stages, width, (channels) => [conv(channels, 3, { padding: 1 }), relu()]),
      adaptiveAveragePool(7)('avgpool'),
      flatten()('flatten'),
      sequential(
        ...[dense(scaled(HIDDEN, width)), relu(), dropout()],
        ...[dense(scaled(HIDDEN, width)), relu(), dropout()],
        dense(classes),
      )('classifier'),
    );

/**
 * The same table for small images. It differs in three things. A batch norm follows each convolution: from random weights
 * so deep a stack stalls without one (which is why the paper started its deep networks from the trained weights of column
 * A, section 3.1). Its shift makes a bias idle, so there is none. Images are padded to a multiple of 32, for five halvings
 * to come out even. And three dense layers would dwarf the rest, so one follows a global average.
 */
const small =
  (stages: Stages) =>
  ({ input, classes, width }: FormOptions): Block =>
    chain(
      padTo(REDUCTION, input),
      features(stages, width, (channels) => [conv(channels, 3, { padding: 1, bias: false }), batchNorm(), relu()]),
      globalAveragePool()('avgpool'),
      dense(classes)('classifier'),
    );

function padTo(multiple: number, [height, width]: FormOptions['input']): Block {
  const missing = (size: number): number => Math.ceil(size / multiple) * multiple - size;
  return missing(height) + missing(width) === 0 ? (x) => x : pad(missing(height), missing(width))('pad');
}

const vgg = (name: keyof typeof CONVOLUTIONS): Architecture =>
  defineArchitecture(
    {
      name,
      title: name.replace('vgg', 'VGG-'),
      paper: 'https://arxiv.org/abs/1409.1556',
      year: 2014,
      idea: 'Nothing but 3x3 convolutions, stacked deep: as the map halves, the channels double',
    },
    {
      imagenet: { width: 1, least: REDUCTION, normalisation: TORCHVISION, layers: imagenet(CONVOLUTIONS[name]) },
      small: { width: 1 / 8, least: 1, layers: small(CONVOLUTIONS[name]) },
    },
  );

/** VGG 11, 13, 16 and 19. */
export const vggs: readonly Architecture[] = (['vgg11', 'vgg13', 'vgg16', 'vgg19'] as const).map(vgg);

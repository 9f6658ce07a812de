/**
 * VGG: nothing but 3x3 convolutions, in five stages; where the map's side halves, the channels double. Two 3x3 layers see
 * as far as one 5x5, three as far as one 7x7, with fewer weights and more nonlinearities in between (section 2.3).
 *
 * Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, table 1.
 */
import type { Architecture, BuildOptions } from '../core/architecture.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { tf } from '../tf.ts';
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
type Form = (stages: Stages, options: Omit<BuildOptions, 'variant'>) => Block;

const scaled = (channels: number, width: number): number => Math.max(1, Math.round(channels * width));

/** The five stages, numbered through as torchvision does. */
function features(stages: Stages, width: number, unit: (channels: number) => readonly Named[]): Block {
  const stage = (convolutions: number, i: number): readonly Named[] => {
    const channels = scaled(CHANNELS[i] as number, width);
    return [...Array.from({ length: convolutions }, () => unit(channels)).flat(), maxPool(2)];
  };
  return sequential(...stages.flatMap(stage))('features');
}

/** The paper's network in torchvision's form, which takes any size from 32 up; the paper's is 224, where `avgpool` is idle. */
const imagenet: Form = (stages, { input, classes, width }) => {
  const side = Math.min(input[0], input[1]);
  if (side < REDUCTION) {
    throw usageError(
      `the imagenet form of VGG needs images of ${REDUCTION}x${REDUCTION} or more, not ${side}; use small`,
    );
  }
  const hidden = scaled(HIDDEN, width);
  return chain(
    features(stages, width, (channels) => [conv(channels, 3, { padding: 1 }), relu()]),
    adaptiveAveragePool(7)('avgpool'),
    flatten()('flatten'),
    sequential(dense(hidden), relu(), dropout(), dense(hidden), relu(), dropout(), dense(classes))('classifier'),
  );
};

/**
 * The same table for small images. It differs in three things. A batch norm follows each convolution: from random weights
 * so deep a stack stalls without one (which is why the paper started its deep networks from the trained weights of column
 * A, section 3.1). Its shift makes a bias idle, so there is none. Images are padded to a multiple of 32, for five halvings
 * to come out even. And three dense layers would dwarf the rest, so one follows a global average.
 */
const small: Form = (stages, { input, classes, width }) =>
  chain(
    padTo(REDUCTION, input),
    features(stages, width, (channels) => [conv(channels, 3, { padding: 1, bias: false }), batchNorm(), relu()]),
    globalAveragePool()('avgpool'),
    dense(classes)('classifier'),
  );

function padTo(multiple: number, [height, width]: BuildOptions['input']): Block {
  const missing = (size: number): number => Math.ceil(size / multiple) * multiple - size;
  return missing(height) + missing(width) === 0 ? (x) => x : pad(missing(height), missing(width))('pad');
}

const FORMS: ReadonlyMap<string, Form> = new Map(Object.entries({ imagenet, small }));
const WIDTHS = { imagenet: 1, small: 1 / 8 } as const;

const vgg = (name: keyof typeof CONVOLUTIONS): Architecture => ({
  name,
  title: name.replace('vgg', 'VGG-'),
  paper: 'https://arxiv.org/abs/1409.1556',
  year: 2014,
  idea: 'Nothing but 3x3 convolutions, stacked deep: as the map halves, the channels double',
  variants: WIDTHS,
  build: ({ input, classes, variant, width }) => {
    const form = FORMS.get(variant);
    if (form === undefined) throw unknownName('variant', variant, [...FORMS.keys()]);
    const image = tf.input({ shape: [...input], name: 'image' });
    return tf.model({ inputs: image, outputs: form(CONVOLUTIONS[name], { input, classes, width })(image), name });
  },
});

/** VGG 11, 13, 16 and 19. */
export const vggs: readonly Architecture[] = (['vgg11', 'vgg13', 'vgg16', 'vgg19'] as const).map(vgg);

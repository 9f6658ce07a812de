/**
 * AlexNet: five convolutions and three dense layers, with rectified linear units, overlapping pools, dropout, and training
 * images that are shifted and mirrored. What made deep networks win.
 *
 * Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012, figure 2;
 * the `imagenet` form is torchvision's, with the channels of Krizhevsky, "One weird trick for parallelizing convolutional
 * neural networks", 2014.
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
  localResponse,
  maxPool,
  type Named,
  relu,
  sequential,
} from './blocks.ts';
import { defineArchitecture, type FormOptions, scaled, TORCHVISION } from './define-architecture.ts';

const HIDDEN = 4096;

/** Overlapping pools: windows of 3, two pixels apart (section 3.4). */
const overlappingPool = (): Named => maxPool(3, { stride: 2 });

const imagenet = ({ classes, width }: FormOptions): Block => {
  const [c64, c192, c384, c256, hidden] = [64, 192, 384, 256, HIDDEN].map((n) => scaled(n, width)) as FiveNumbers;
  return chain(
    sequential(
      ...[conv(c64, 11, { stride: 4, padding: 2 }), relu(), overlappingPool()],
      ...[conv(c192, 5, { padding: 2 }), relu(), overlappingPool()],
      ...[conv(c384, 3, { padding: 1 }), relu()],
      ...[conv(c256, 3, { padding: 1 }), relu()],
      ...[conv(c256, 3, { padding: 1 }), relu(), overlappingPool()],
    )('features'),
    adaptiveAveragePool(6)('avgpool'),
    flatten()('flatten'),
    classifier(hidden, classes),
  );
};

type FiveNumbers = [number, number, number, number, number];

/** Dropout before the first two dense layers (section 4.2). */
const classifier = (hidden: number, classes: number): Block =>
  sequential(dropout(), dense(hidden), relu(), dropout(), dense(hidden), relu(), dense(classes))('classifier');

/**
 * Figure 2 as it stands: layers 2, 4 and 5 in two groups, as two graphics processors held them, and local response
 * normalisation after the first two (section 3.3, with its k = 2, n = 5, α = 10⁻⁴, β = .75). 60,965,224 parameters. Figures
 * in the paper need images of 227 pixels for its maps of 55; 224 with two pixels of padding give the same.
 */
const paper = ({ classes, width }: FormOptions): Block => {
  // Even numbers, for two groups.
  const [c96, c256, c384] = [96, 256, 384].map((n) => 2 * scaled(n / 2, width)) as [number, number, number];
  const normalise = (): Named => localResponse({ size: 5, k: 2, alpha: 1e-4, beta: 0.75 });
  return chain(
    sequential(
      ...[conv(c96, 11, { stride: 4, padding: 2 }), relu(), normalise(), overlappingPool()],
      ...[conv(c256, 5, { padding: 2, groups: 2 }), relu(), normalise(), overlappingPool()],
      ...[conv(c384, 3, { padding: 1 }), relu()],
      ...[conv(c384, 3, { padding: 1, groups: 2 }), relu()],
      ...[conv(c256, 3, { padding: 1, groups: 2 }), relu(), overlappingPool()],
    )('features'),
    flatten()('flatten'),
    classifier(scaled(HIDDEN, width), classes),
  );
};

/**
 * The same table for small images: the first layer's 11x11 windows, four pixels apart, become 5x5 ones, one pixel apart, and
 * the pool after the third stage is left to larger images. Batch norm stands after every convolution, where the paper has
 * its own normalisation after two of them, so that one learning rate suits all small networks. The dense layers, which hold
 * nine tenths of the paper's weights, shrink by the width twice.
 */
const small = ({ classes, width }: FormOptions): Block => {
  const [c64, c192, c384, c256] = [64, 192, 384, 256].map((n) => scaled(n, width)) as [number, number, number, number];
  const unit = (channels: number, size: number): readonly Named[] => [
    conv(channels, size, { padding: (size - 1) / 2, bias: false }),
    batchNorm(),
    relu(),
  ];
  return chain(
    sequential(
      ...[...unit(c64, 5), overlappingPool()],
      ...[...unit(c192, 5), overlappingPool()],
      ...unit(c384, 3),
      ...unit(c256, 3),
      ...[...unit(c256, 3), overlappingPool()],
    )('features'),
    adaptiveAveragePool(2)('avgpool'),
    flatten()('flatten'),
    classifier(scaled(HIDDEN, width ** 2 / 2), classes),
  );
};

export const alexnet: Architecture = defineArchitecture(
  {
    name: 'alexnet',
    title: 'AlexNet',
    paper: 'https://papers.nips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html',
    year: 2012,
    idea: 'Convolve, pool, then dense layers, made trainable by rectified linear units, dropout and augmented images',
  },
  {
    imagenet: { width: 1, least: 63, normalisation: TORCHVISION, layers: imagenet },
    paper: { width: 1, least: 63, layers: paper },
    small: { width: 1 / 4, least: 15, layers: small },
  },
);

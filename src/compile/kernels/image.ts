/**
 * Resizing: along each axis every output pixel is a fixed mix of input pixels, so a resize is a product with a constant
 * matrix from either side, and its gradient the product with their transposes.
 */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, type Value } from '../graph.ts';
import { transposeArray } from '../host-array.ts';
import { physicalShape } from '../layout.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';

type Shape4 = [number, number, number, number];

interface Sampling {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** The share of every input position in every output position, [out, in], by TensorFlow.js's coordinate rules. */
type Weights = (from: number, to: number, sampling: Sampling) => Float32Array;

const scaleOf = (from: number, to: number, alignCorners: boolean): number =>
  alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;

const bilinear: Weights = (from, to, { alignCorners, halfPixelCenters }) => {
  const weights = new Float32Array(to * from);
  const scale = scaleOf(from, to, alignCorners);
  for (let i = 0; i < to; i++) {
    const position = halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i;
    const before = Math.max(0, Math.floor(position));
    const after = Math.min(from - 1, Math.ceil(position));
    const share = position - before;
    addTo(weights, i * from + before, 1 - share);
    addTo(weights, i * from + after, share);
  }
  return weights;
};

const nearest: Weights = (from, to, { alignCorners, halfPixelCenters }) => {
  const weights = new Float32Array(to * from);
  const scale = scaleOf(from, to, alignCorners);
  for (let i = 0; i < to; i++) {
    const position = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    const at = Math.min(from - 1, alignCorners ? Math.round(position) : Math.floor(position));
    addTo(weights, i * from + Math.max(0, at), 1);
  }
  return weights;
};

function addTo(array: Float32Array, index: number, amount: number): void {
  array[index] = (array[index] as number) + amount;
}

/** rows · x · columnsᵀ for x [N, C, H, W], rows [H', H] and columns [W', W]. */
function resample(emit: Emitter, x: Wire, rows: Wire, columns: Wire): Wire {
  const [n, c, h] = x.shape as Shape4;
  const height = rows.shape[0] as number;
  const width = columns.shape[0] as number;
  const wide = emit.op('MatMul', [x, emit.transpose(columns, [1, 0])], [n, c, h, width]);
  return emit.op('MatMul', [rows, wide], [n, c, height, width]);
}

function resize(weights: Weights, dtype?: Value['dtype']): Kernel {
  return {
    infer: (inputs, { size }) => {
      const images = need(inputs, 'images');
      const [height, width] = size as [number, number];
      return typed([images.shape[0] as number, height, width, images.shape[3] as number], dtype ?? images.dtype);
    },
    lower: (node, emit) => {
      const images = input(node, 'images');
      lowerResample(node, emit, images, (from, to) =>
        emit.constant(weights(from, to, samplingOf(node)), [to, from], 'float32'),
      );
    },
  };
}

/** True gradient in every coordinate mode, also where TensorFlow.js's own reference ignores `halfPixelCenters`. */
function resizeGradient(weights: Weights): Kernel {
  return {
    infer: (inputs) => [need(inputs, 'images')],
    lower: (node, emit) => {
      lowerResample(node, emit, input(node, 'dy'), (from, to) => {
        const forward = weights(to, from, samplingOf(node));
        return emit.constant(transposeArray(forward, [from, to], [1, 0]), [to, from], 'float32');
      });
    },
  };
}

const samplingOf = (node: Node): Sampling => node.attributes as unknown as Sampling;

function lowerResample(node: Node, emit: Emitter, from: Value, matrix: (from: number, to: number) => Wire): void {
  const out = output(node);
  const [, h, w] = from.shape as Shape4;
  const [, height, width] = out.shape as Shape4;
  const x = emit.cast(emit.read(from, 'channelsFirst'), 'float32');
  const resampled = emit.cast(resample(emit, x, matrix(h, height), matrix(w, width)), out.dtype);
  emit.define(out, emit.reshape(resampled, physicalShape(out.shape, 'channelsFirst')), 'channelsFirst');
}

const flipLeftRight: Kernel = {
  infer: (inputs) => [need(inputs, 'image')],
  lower: (node, emit) => {
    const image = input(node, 'image');
    emit.define(output(node), emit.reverse(emit.read(image), [2]));
  },
};

export const IMAGE: KernelTable = {
  FlipLeftRight: flipLeftRight,
  ResizeBilinear: resize(bilinear, 'float32'),
  ResizeBilinearGrad: resizeGradient(bilinear),
  ResizeNearestNeighbor: resize(nearest),
  ResizeNearestNeighborGrad: resizeGradient(nearest),
};

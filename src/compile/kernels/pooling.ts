/** Max and average pooling, and their gradients. */
import { tf } from '../../tf.ts';
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, sizeOf } from '../graph.ts';
import { physicalShape } from '../layout.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';

type PoolInfo = ReturnType<typeof tf.backend_util.computePool2DInfo>;
type Shape4 = [number, number, number, number];

function poolInfo(shape: readonly number[], a: Node['attributes']): PoolInfo {
  return tf.backend_util.computePool2DInfo(
    [...shape] as Shape4,
    a.filterSize as number,
    a.strides as number,
    (a.dilations as number | undefined) ?? 1,
    a.pad as 'same',
    a.dimRoundingMode as 'floor',
  );
}

/** The geometry of the pool whose gradient this is: TensorFlow.js does not tell gradients how the output was rounded. */
function forwardInfo(node: Node): PoolInfo {
  const [, outHeight, outWidth] = input(node, 'dy').shape as Shape4;
  return { ...poolInfo(input(node, 'input').shape, node.attributes), outHeight, outWidth };
}

/** ONNX's window attributes, with just so much padding at the end as the last window needs. */
function windows({ inHeight, inWidth, outHeight, outWidth, ...info }: PoolInfo) {
  const { padInfo: p, strideHeight: sh, strideWidth: sw, filterHeight: kh, filterWidth: kw } = info;
  const bottom = padAfter(inHeight, outHeight, sh, kh, p.top);
  const right = padAfter(inWidth, outWidth, sw, kw, p.left);
  return { kernel_shape: [kh, kw], strides: [sh, sw], pads: [p.top, p.left, bottom, right] };
}

/** @throws Error where TensorFlow.js slides windows of another number than fit, or beyond the edge */
function padAfter(size: number, out: number, stride: number, window: number, before: number): number {
  const padding = Math.max(0, (out - 1) * stride + window - size - before);
  const fits = Math.floor((size + before + padding - window) / stride) + 1 === out;
  if (fits && before < window && padding < window) return padding;
  throw new Error(
    `a pool of ${out} windows of ${window} by steps of ${stride} does not fit ${size} pixels padded by ${before}: where ` +
      'padding is a number, windows and strides must be square and windows larger than the padding',
  );
}

function pooling(operator: 'MaxPool' | 'AveragePool'): Kernel {
  return {
    infer: (inputs, attributes) => typed(poolInfo(need(inputs, 'x').shape, attributes).outShape, 'float32'),
    lower: (node, emit) => {
      const x = input(node, 'x');
      const attributes = windows(poolInfo(x.shape, node.attributes));
      const shape = physicalShape(output(node).shape, 'channelsFirst');
      const pooled = emit.op(operator, [emit.read(x, 'channelsFirst')], shape, { attributes });
      emit.define(output(node), pooled, 'channelsFirst');
    },
  };
}

const touching = ({ strideHeight, strideWidth, filterHeight, filterWidth }: PoolInfo): boolean =>
  filterHeight <= strideHeight && filterWidth <= strideWidth;

/** Each window's gradient goes to the place of its maximum; of several equal ones to the first, as TensorFlow.js has it. */
const maxPoolGradient: Kernel = {
  infer: (inputs) => [need(inputs, 'input')],
  lower: (node, emit) => {
    const value = input(node, 'input');
    const info = forwardInfo(node);
    const x = emit.read(value, 'channelsFirst');
    const dy = emit.read(input(node, 'dy'), 'channelsFirst');
    const attributes = windows(info);
    const pooled = { shape: dy.shape, type: 'float32' as const };
    const indexed = emit.ops('MaxPool', [x], [pooled, { shape: dy.shape, type: 'int64' }], { attributes });
    const at = indexed[1] as Wire;
    const gradient = touching(info)
      ? emit.op('MaxUnpool', [dy, at, emit.ints(x.shape)], x.shape, { attributes })
      : scatterByIndex(emit, dy, at, x.shape);
    emit.define(output(node), gradient, 'channelsFirst');
  },
};

/** Overlapping windows may share a maximum: its gradients add up. */
function scatterByIndex(emit: Emitter, dy: Wire, at: Wire, shape: readonly number[]): Wire {
  const total = sizeOf(shape);
  const zeros = emit.op('Expand', [emit.scalar(0), emit.ints([total])], [total]);
  const flat = [at, dy].map((wire) => emit.reshape(wire, [sizeOf(dy.shape)]));
  const attributes = { axis: 0, reduction: 'add' };
  return emit.reshape(emit.op('ScatterElements', [zeros, ...flat], [total], { attributes }), shape);
}

/** Every pixel gets its windows' gradients, divided by the window's full size: TensorFlow.js does not count padding. */
const averagePoolGradient: Kernel = {
  infer: (inputs) => [need(inputs, 'input')],
  lower: (node, emit) => {
    const value = input(node, 'input');
    const info = forwardInfo(node);
    const { filterHeight: kh, filterWidth: kw, inChannels: channels } = info;
    const dy = emit.read(input(node, 'dy'), 'channelsFirst');
    const shape = physicalShape(value.shape, 'channelsFirst');
    const share = emit.constant(
      new Float32Array(channels * kh * kw).fill(1 / (kh * kw)),
      [channels, 1, kh, kw],
      'float32',
    );
    const { kernel_shape, strides, pads } = windows(info);
    const [, , h, w] = shape as Shape4;
    const [top, left, bottom, right] = pads as Shape4;
    const reached = [(info.outHeight - 1) * info.strideHeight + kh, (info.outWidth - 1) * info.strideWidth + kw];
    const output_padding = [h - ((reached[0] as number) - top - bottom), w - ((reached[1] as number) - left - right)];
    const attributes = { group: channels, kernel_shape, strides, pads, output_padding };
    emit.define(output(node), emit.op('ConvTranspose', [dy, share], shape, { attributes }), 'channelsFirst');
  },
};

export const POOLING: KernelTable = {
  AvgPool: pooling('AveragePool'),
  AvgPoolGrad: averagePoolGradient,
  MaxPool: pooling('MaxPool'),
  MaxPoolGrad: maxPoolGradient,
};

/** Convolutions, dense and depthwise, and their gradients towards the input and the filter. */
import { tf } from '../../tf.ts';
import { BLOCKED_DOMAIN, type Emitter, physicalShape, type Wire } from '../emitter.ts';
import { type Inputs, input, type Node, output, sameShape, type Value } from '../graph.ts';
import { blockedFilter, canBlock } from './blocked.ts';
import { filterGradient } from './filter-gradient.ts';
import { inputGradient } from './input-gradient.ts';
import { type Kernel, type KernelTable, need, typed } from './kernel.ts';
import { activate } from './matmul.ts';

/** The geometry of one convolution. */
export type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

type Shape4 = [number, number, number, number];

/** TensorFlow.js's own arithmetic of strides and padding. @throws Error for NCHW data, and for what only it can make of pads */
export function convInfo(
  x: readonly number[],
  filter: readonly number[],
  a: Node['attributes'],
  depthwise: boolean,
): ConvInfo {
  if (a.dataFormat === 'NCHW') throw new Error('convolutions with dataFormat "NCHW" are not compiled; use NHWC');
  const info = tf.backend_util.computeConv2DInfo(
    [...x] as Shape4,
    [...filter] as Shape4,
    a.strides as number,
    (a.dilations as number | undefined) ?? 1,
    a.pad as 'same',
    a.dimRoundingMode as 'floor',
    depthwise,
  );
  const { padInfo: p } = info;
  const [bottom, right] = [
    padAfter(info.inHeight, info.outHeight, info.strideHeight, info.effectiveFilterHeight, p.top, p.bottom),
    padAfter(info.inWidth, info.outWidth, info.strideWidth, info.effectiveFilterWidth, p.left, p.right),
  ];
  return { ...info, padInfo: { ...p, bottom, right } };
}

/** Padding at the end of an axis: a little more than was said where the output's size is rounded up. */
function padAfter(size: number, out: number, stride: number, window: number, before: number, after: number): number {
  const padding = Math.max(after, (out - 1) * stride + window - size - before);
  if (Math.floor((size + before + padding - window) / stride) + 1 === out) return padding;
  throw new Error(
    'where padding is a number TensorFlow.js takes filters, strides and dilations to be square, and these are not; ' +
      'give the padding of every side: [[0, 0], [top, bottom], [left, right], [0, 0]]',
  );
}

/** The geometry of the convolution whose gradient this is. @throws Error if its output was rounded up */
function forwardInfo(node: Node, x: readonly number[], filter: readonly number[], depthwise: boolean): ConvInfo {
  const info = convInfo(x, filter, node.attributes, depthwise);
  const dy = input(node, 'dy');
  if (sameShape(dy.shape, info.outShape)) return info;
  throw new Error(
    `${node.kernel} has a gradient of shape [${dy.shape}] for an output of shape [${info.outShape}]: TensorFlow.js ` +
      'forgets the dimRoundingMode of convolutions in their gradients; pad the input instead',
  );
}

/** [kh, kw, in, out] as ONNX wants it: [out, in, kh, kw]. */
const denseFilter = (emit: Emitter, filter: Wire): Wire => emit.transpose(filter, [3, 2, 0, 1]);

/** [kh, kw, channels, multiplier] as a grouped filter: [channels · multiplier, 1, kh, kw]. */
function depthwiseFilter(emit: Emitter, filter: Wire): Wire {
  const [kh, kw, channels, multiplier] = filter.shape as Shape4;
  return emit.reshape(emit.transpose(filter, [2, 3, 0, 1]), [channels * multiplier, 1, kh, kw]);
}

/** ONNX's order: top, left, bottom, right. */
export const padsOf = ({ padInfo: p }: ConvInfo): number[] => [p.top, p.left, p.bottom, p.right];

/** Writes the convolution; says whether it has applied the activation as well. */
function convolve(node: Node, emit: Emitter, depthwise: boolean, bias: Value | undefined): boolean {
  const x = input(node, 'x');
  const filter = input(node, 'filter');
  const info = convInfo(x.shape, filter.shape, node.attributes, depthwise);
  const attributes = {
    group: depthwise ? info.inChannels : 1,
    kernel_shape: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: padsOf(info),
  };
  const biasWire = bias === undefined ? undefined : emit.reshape(emit.read(bias), [info.outChannels]);
  const shape = physicalShape(output(node).shape, 'channelsFirst');
  if (!depthwise && canBlock(emit, filter, info)) {
    const inputs = [emit.read(x, 'blocked'), blockedFilter(emit, emit.read(filter)), biasWire];
    const activation = node.attributes.activation === 'relu' ? { activation: 'Relu' } : {};
    const options = { attributes: { ...attributes, ...activation }, domain: BLOCKED_DOMAIN };
    emit.define(output(node), emit.op('Conv', inputs, shape, options), 'blocked');
    return activation.activation !== undefined;
  }
  const weights = (depthwise ? depthwiseFilter : denseFilter)(emit, emit.read(filter));
  const inputs = [emit.read(x, 'channelsFirst'), weights, biasWire];
  emit.define(output(node), emit.op('Conv', inputs, shape, { attributes }), 'channelsFirst');
  return false;
}

function convolution(depthwise: boolean, fused: boolean): Kernel {
  return {
    infer: (inputs: Inputs, attributes) => {
      const info = convInfo(need(inputs, 'x').shape, need(inputs, 'filter').shape, attributes, depthwise);
      return typed(info.outShape, 'float32');
    },
    lower: (node, emit) => {
      const activated = convolve(node, emit, depthwise, fused ? node.inputs.bias : undefined);
      const activation = (node.attributes.activation as string | null | undefined) ?? 'linear';
      if (!fused || activated || activation === 'linear') return;
      const raw = emit.read(output(node), 'channelsFirst');
      emit.define(output(node), activate(emit, raw, node, 'channelsFirst'), 'channelsFirst');
    },
  };
}

function towardsInput(depthwise: boolean): Kernel {
  return {
    infer: (_inputs, { inputShape }) => typed(inputShape as number[], 'float32'),
    lower: (node, emit) => {
      const filter = input(node, 'filter');
      const info = forwardInfo(node, node.attributes.inputShape as number[], filter.shape, depthwise);
      inputGradient(emit, output(node), input(node, 'dy'), filter, info, depthwise);
    },
  };
}

function towardsFilter(depthwise: boolean): Kernel {
  return {
    infer: (_inputs, { filterShape }) => typed(filterShape as number[], 'float32'),
    lower: (node, emit) => {
      const x = input(node, 'x');
      const info = forwardInfo(node, x.shape, node.attributes.filterShape as number[], depthwise);
      const dy = emit.read(input(node, 'dy'), 'channelsFirst');
      const gradient = filterGradient(emit, emit.read(x, 'channelsFirst'), dy, info, depthwise);
      emit.define(output(node), emit.reshape(gradient, output(node).shape));
    },
  };
}

export const CONVOLUTION: KernelTable = {
  Conv2D: convolution(false, false),
  Conv2DBackpropFilter: towardsFilter(false),
  Conv2DBackpropInput: towardsInput(false),
  DepthwiseConv2dNative: convolution(true, false),
  DepthwiseConv2dNativeBackpropFilter: towardsFilter(true),
  DepthwiseConv2dNativeBackpropInput: towardsInput(true),
  FusedConv2D: convolution(false, true),
  FusedDepthwiseConv2D: convolution(true, true),
};

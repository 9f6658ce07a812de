/** Convolutions, dense and depthwise, and their gradients towards the input and the filter. */
import type { Emitter, Wire } from '../emitter.ts';
import { type Inputs, input, type Node, need, output, type Value } from '../graph.ts';
import { BLOCKED_DOMAIN, physicalShape } from '../layout.ts';
import type { OnnxAttribute } from '../onnx.ts';
import { blockedFilter, canBlock } from './blocked.ts';
import { convInfo, forwardInfo, padsOf } from './convolution-geometry.ts';
import { filterGradient } from './filter-gradient.ts';
import { inputGradient } from './input-gradient.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';
import { activate } from './matmul.ts';
import { plainConvolution } from './plain-convolution.ts';

type Shape4 = [number, number, number, number];

/** [kh, kw, in, out] as ONNX wants it: [out, in, kh, kw]. */
const denseFilter = (emit: Emitter, filter: Wire): Wire => emit.transpose(filter, [3, 2, 0, 1]);

/** [kh, kw, channels, multiplier] as a grouped filter: [channels · multiplier, 1, kh, kw]. */
function depthwiseFilter(emit: Emitter, filter: Wire): Wire {
  const [kh, kw, channels, multiplier] = filter.shape as Shape4;
  return emit.reshape(emit.transpose(filter, [2, 3, 0, 1]), [channels * multiplier, 1, kh, kw]);
}

/** What a blocked convolution can apply to its result, as attributes. */
const FUSED_ACTIVATION: Readonly<Record<string, Readonly<Record<string, OnnxAttribute>>>> = {
  relu: { activation: 'Relu' },
  relu6: { activation: 'Clip', activation_params: { floats: [0, 6] } },
};

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
    const activation = FUSED_ACTIVATION[node.attributes.activation as string];
    const options = { attributes: { ...attributes, ...activation }, domain: BLOCKED_DOMAIN };
    emit.define(output(node), emit.op('Conv', inputs, shape, options), 'blocked');
    return activation !== undefined;
  }
  const weights = (depthwise ? depthwiseFilter : denseFilter)(emit, emit.read(filter));
  const operands = { x: emit.read(x, 'channelsFirst'), filter: weights, bias: biasWire };
  emit.define(output(node), plainConvolution(emit, operands, shape, attributes), 'channelsFirst');
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

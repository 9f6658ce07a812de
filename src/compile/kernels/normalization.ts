/** Softmax, batch normalisation, local response normalisation. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output } from '../graph.ts';
import { physicalShape, readBroadcast } from '../layout.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';
import { add, div, elementwise, mul, sub } from './operators.ts';

/** Along the last axis. tf.logSoftmax is made of other kernels. */
const softmax: Kernel = {
  infer: (inputs) => [need(inputs, 'logits')],
  lower: (node, emit) => {
    const logits = emit.read(input(node, 'logits'));
    emit.define(output(node), emit.op('Softmax', [logits], logits.shape, { attributes: { axis: -1 } }));
  },
};

/** (x - mean) / √(variance + ε) · scale + offset, as one product and one sum per element: x·a + (offset - mean·a). */
const fusedBatchNorm: Kernel = {
  infer: (inputs) => [need(inputs, 'x')],
  lower: (node, emit) => {
    const x = input(node, 'x');
    const layout = x.shape.length === 4 ? 'channelsFirst' : 'logical';
    const read = (name: string): Wire => readBroadcast(emit, input(node, name), layout);
    const epsilon = emit.scalar(node.attributes.varianceEpsilon as number);
    const deviation = elementwise(emit, 'Sqrt', [elementwise(emit, 'Add', [read('variance'), epsilon])]);
    const inverse = elementwise(emit, 'Reciprocal', [deviation]);
    const a = node.inputs.scale === undefined ? inverse : elementwise(emit, 'Mul', [inverse, read('scale')]);
    const shift = elementwise(emit, 'Mul', [read('mean'), a]);
    const b =
      node.inputs.offset === undefined
        ? elementwise(emit, 'Neg', [shift])
        : elementwise(emit, 'Sub', [read('offset'), shift]);
    const scaled = elementwise(emit, 'Mul', [emit.read(x, layout), a]);
    const shape = physicalShape(x.shape, layout);
    emit.define(output(node), emit.reshape(elementwise(emit, 'Add', [scaled, b]), shape), layout);
  },
};

const lrnAttributes = (node: Node) =>
  node.attributes as {
    readonly depthRadius: number;
    readonly bias: number;
    readonly alpha: number;
    readonly beta: number;
  };

/** Sums over 2r+1 neighbouring channels of [N, C, H, W], as an average pool along the channels. */
function channelWindowSum(emit: Emitter, x: Wire, radius: number): Wire {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const size = 2 * radius + 1;
  const attributes = { kernel_shape: [size, 1], pads: [radius, 0, radius, 0], count_include_pad: 1 };
  const lines = emit.reshape(x, [n, 1, c, h * w]);
  const means = emit.op('AveragePool', [lines], lines.shape, { attributes });
  return emit.reshape(elementwise(emit, 'Mul', [means, emit.scalar(size)]), x.shape);
}

/** s = bias + α Σ x² over neighbouring channels. */
function lrnSum(emit: Emitter, x: Wire, node: Node): Wire {
  const { depthRadius, bias, alpha } = lrnAttributes(node);
  const squares = channelWindowSum(emit, mul(emit, x, x), depthRadius);
  return add(emit, mul(emit, squares, emit.scalar(alpha)), emit.scalar(bias));
}

/** s^(-β); by square roots for the exponents that networks use. */
function inversePower(emit: Emitter, s: Wire, beta: number): Wire {
  const reciprocal = (x: Wire): Wire => elementwise(emit, 'Reciprocal', [x]);
  const root = (x: Wire): Wire => elementwise(emit, 'Sqrt', [x]);
  if (beta === 1) return reciprocal(s);
  if (beta === 0.5) return reciprocal(root(s));
  if (beta === 0.75) return reciprocal(mul(emit, root(s), root(root(s))));
  return elementwise(emit, 'Pow', [s, emit.scalar(-beta)]);
}

/**
 * y = x / (bias + α Σ x²)^β over neighbouring channels (Krizhevsky et al. 2012, section 3.3). ONNX has an operator for it,
 * whose last bits depend on an image's place in the batch.
 */
const lrn: Kernel = {
  infer: (inputs) => typed(need(inputs, 'x').shape, 'float32'),
  lower: (node, emit) => {
    const x = emit.read(input(node, 'x'), 'channelsFirst');
    const power = inversePower(emit, lrnSum(emit, x, node), lrnAttributes(node).beta);
    emit.define(output(node), mul(emit, x, power), 'channelsFirst');
  },
};

/** dx = dy·s^(-β) - 2αβ·x·Σ(dy·y/s) with s = bias + α Σ x², the sums over the same neighbouring channels. */
const lrnGradient: Kernel = {
  infer: (inputs) => typed(need(inputs, 'x').shape, 'float32'),
  lower: (node, emit) => {
    const { depthRadius, alpha, beta } = lrnAttributes(node);
    const [x, y, dy] = ['x', 'y', 'dy'].map((name) => emit.read(input(node, name), 'channelsFirst')) as [
      Wire,
      Wire,
      Wire,
    ];
    const s = lrnSum(emit, x, node);
    const direct = mul(emit, dy, inversePower(emit, s, beta));
    const spread = channelWindowSum(emit, div(emit, mul(emit, dy, y), s), depthRadius);
    const indirect = mul(emit, mul(emit, x, emit.scalar(2 * alpha * beta)), spread);
    emit.define(output(node), sub(emit, direct, indirect), 'channelsFirst');
  },
};

export const NORMALIZATION: KernelTable = {
  FusedBatchNorm: fusedBatchNorm,
  LRN: lrn,
  LRNGrad: lrnGradient,
  Softmax: softmax,
};

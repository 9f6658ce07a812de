/** Matrix products. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output } from '../graph.ts';
import { type Layout, readBroadcast } from '../layout.ts';
import { broadcast, type Kernel, type KernelTable, typed } from './kernel.ts';
import { elementwise } from './operators.ts';
import { heaviside } from './step.ts';

function productShape(a: readonly number[], b: readonly number[], attributes: Node['attributes']): number[] {
  const [m, k] = attributes.transposeA === true ? [a.at(-1), a.at(-2)] : [a.at(-2), a.at(-1)];
  const [k2, n] = attributes.transposeB === true ? [b.at(-1), b.at(-2)] : [b.at(-2), b.at(-1)];
  if (k !== k2) throw new Error(`matrices [${a}] and [${b}] do not fit`);
  return [...broadcast(a.slice(0, -2), b.slice(0, -2)), m as number, n as number];
}

/** One matrix: `Gemm`, which transposes for free. A stack of them, or whole numbers: `MatMul`. */
function product(emit: Emitter, a: Wire, b: Wire, node: Node): Wire {
  const shape = productShape(a.shape, b.shape, node.attributes);
  const transA = Number(node.attributes.transposeA === true);
  const transB = Number(node.attributes.transposeB === true);
  const stack = shape.slice(0, -2);
  if (stack.every((d) => d === 1) && a.type === 'float32') {
    const attributes = { transA, transB };
    const flat = [a, b].map((w) => emit.reshape(w, w.shape.slice(-2)));
    return emit.reshape(emit.op('Gemm', flat, shape.slice(-2), { attributes }), shape);
  }
  const turned = (w: Wire, turn: number): Wire => {
    const last = w.shape.length - 1;
    const permutation = w.shape.map((_, i) => i);
    return turn === 1 ? emit.transpose(w, [...permutation.slice(0, -2), last, last - 1]) : w;
  };
  return emit.op('MatMul', [turned(a, transA), turned(b, transB)], shape, { type: a.type });
}

const batchMatMul: Kernel = {
  infer: (inputs, attributes) => {
    const a = need(inputs, 'a');
    return typed(productShape(a.shape, need(inputs, 'b').shape, attributes), a.dtype);
  },
  lower: (node, emit) => {
    emit.define(output(node), product(emit, emit.read(input(node, 'a')), emit.read(input(node, 'b')), node));
  },
};

/** The activation that a fused kernel ends with. @throws Error for one that is not known */
export function activate(emit: Emitter, x: Wire, node: Node, layout: Layout = 'logical'): Wire {
  const name = (node.attributes.activation as string | null | undefined) ?? 'linear';
  switch (name) {
    case 'linear':
      return x;
    case 'relu':
      return emit.op('Relu', [x], x.shape);
    case 'relu6':
      return emit.op('Clip', [x, emit.scalar(0), emit.scalar(6)], x.shape);
    case 'elu':
      return emit.op('Elu', [x], x.shape);
    case 'sigmoid':
      return emit.op('Sigmoid', [x], x.shape);
    case 'leakyrelu': {
      const alpha = { float: (node.attributes.leakyreluAlpha as number | undefined) ?? 0.2 };
      return emit.op('LeakyRelu', [x], x.shape, { attributes: { alpha } });
    }
    case 'prelu': {
      const weights = readBroadcast(emit, input(node, 'preluActivationWeights'), layout);
      const negative = elementwise(emit, 'Mul', [x, weights]);
      const positive = heaviside(emit, x);
      return elementwise(emit, 'Where', [emit.cast(positive, 'bool'), x, negative], 'float32');
    }
    default:
      throw new Error(`activation "${name}" inside ${node.kernel} is not supported; apply it as a layer of its own`);
  }
}

const fusedMatMul: Kernel = {
  infer: batchMatMul.infer,
  lower: (node, emit) => {
    let wire = product(emit, emit.read(input(node, 'a')), emit.read(input(node, 'b')), node);
    if (node.inputs.bias !== undefined) wire = elementwise(emit, 'Add', [wire, emit.read(node.inputs.bias)]);
    emit.define(output(node), activate(emit, wire, node));
  },
};

export const MATMUL: KernelTable = { BatchMatMul: batchMatMul, _FusedMatMul: fusedMatMul };

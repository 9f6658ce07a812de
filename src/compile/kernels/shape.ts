/** Kernels that move, join and cut values without computing. */

import { tf } from '../../tf.ts';
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, sizeOf, type Value } from '../graph.ts';
import { type Layout, physicalAxis, physicalShape } from '../layout.ts';
import { filled } from './create.ts';
import { axesOf, type Kernel, type KernelTable, typed } from './kernel.ts';

const layoutOfInput = (node: Node, emit: Emitter): Layout => emit.layoutOf(input(node, 'x'));

/** The shape that `[-1, 10]` stands for. */
function resolveShape(shape: readonly number[], size: number): number[] {
  const known = shape.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
  return shape.map((d) => (d === -1 ? size / known : d));
}

/** A kernel that gives the same elements under another shape. */
function reshaping(name: string, shapeOf: (x: Value, attributes: Node['attributes']) => number[]): Kernel {
  return {
    infer: (inputs, attributes) => {
      const x = need(inputs, name);
      return typed(shapeOf(x, attributes), x.dtype);
    },
    lower: (node, emit) => {
      const out = output(node);
      emit.define(out, emit.reshape(emit.read(input(node, name)), out.shape));
    },
  };
}

const transpose: Kernel = {
  infer: (inputs, { perm }) => {
    const x = need(inputs, 'x');
    return typed(
      (perm as number[]).map((axis) => x.shape[axis] as number),
      x.dtype,
    );
  },
  lower: (node, emit) => {
    emit.define(output(node), emit.transpose(emit.read(input(node, 'x')), node.attributes.perm as number[]));
  },
};

const operands = (node: Node): Value[] => Object.values(node.inputs);

const concat: Kernel = {
  infer: (inputs, { axis }) => {
    const list = Object.values(inputs);
    const first = list[0] as Value;
    const [at] = axesOf(axis, first.shape.length) as [number];
    const length = list.reduce((sum, v) => sum + (v.shape[at] as number), 0);
    return typed(
      first.shape.map((d, i) => (i === at ? length : d)),
      first.dtype,
    );
  },
  lower: (node, emit) => {
    const out = output(node);
    const [axis] = axesOf(node.attributes.axis, out.shape.length) as [number];
    const values = operands(node).filter((v) => sizeOf(v.shape) > 0);
    if (values.length === 0) {
      emit.define(out, emit.constant(filled(0, 0, out.dtype), out.shape, out.dtype));
      return;
    }
    const layout: Layout = values.some((v) => emit.layoutOf(v) === 'channelsFirst') ? 'channelsFirst' : 'logical';
    const wires = values.map((v) => emit.read(v, layout));
    const attributes = { axis: physicalAxis(axis, layout) };
    const shape = physicalShape(out.shape, layout);
    emit.define(out, emit.op('Concat', wires, shape, { type: out.dtype, attributes }), layout);
  },
};

const pack: Kernel = {
  infer: (inputs, { axis }) => {
    const list = Object.values(inputs);
    const first = list[0] as Value;
    const shape = [...first.shape];
    shape.splice(axesOf(axis, shape.length + 1)[0] as number, 0, list.length);
    return typed(shape, first.dtype);
  },
  lower: (node, emit) => {
    const out = output(node);
    const [axis] = axesOf(node.attributes.axis, out.shape.length) as [number];
    const single = out.shape.map((d, i) => (i === axis ? 1 : d));
    const wires = operands(node).map((v) => emit.reshape(emit.read(v), single));
    emit.define(out, emit.op('Concat', wires, out.shape, { type: out.dtype, attributes: { axis } }));
  },
};

/** Consecutive pieces along an axis. */
const split: Kernel = {
  several: true,
  infer: (inputs, { numOrSizeSplits, axis }) => {
    const x = need(inputs, 'x');
    const [at] = axesOf(axis, x.shape.length) as [number];
    const sizes = tf.backend_util.prepareSplitSize(
      { shape: [...x.shape] } as unknown as tf.Tensor,
      numOrSizeSplits as number[] | number,
      at,
    );
    return sizes.map((size) => ({ shape: x.shape.map((d, i) => (i === at ? size : d)), dtype: x.dtype }));
  },
  lower: (node, emit) => {
    const value = input(node, 'x');
    const [axis] = axesOf(node.attributes.axis, value.shape.length) as [number];
    const layout = emit.layoutOf(value);
    const x = emit.read(value, layout);
    let begin = 0;
    for (const out of node.outputs) {
      const end = begin + (out.shape[axis] as number);
      emit.define(out, emit.slice(x, [{ axis: physicalAxis(axis, layout), begin, end }]), layout);
      begin = end;
    }
  },
};

const unpack: Kernel = {
  several: true,
  infer: (inputs, { axis }) => {
    const value = need(inputs, 'value');
    const [at] = axesOf(axis, value.shape.length) as [number];
    const shape = value.shape.filter((_, i) => i !== at);
    return Array.from({ length: value.shape[at] as number }, () => ({ shape, dtype: value.dtype }));
  },
  lower: (node, emit) => {
    const value = input(node, 'value');
    const [axis] = axesOf(node.attributes.axis, value.shape.length) as [number];
    const x = emit.read(value);
    node.outputs.forEach((out, i) => {
      emit.define(out, emit.reshape(emit.slice(x, [{ axis, begin: i, end: i + 1 }]), out.shape));
    });
  },
};

/** Begin and size of a slice, for every axis: callers may give fewer, a plain number for the first, or -1 for "to the end". */
function sliceBounds(x: Value, { begin, size }: Node['attributes']): { begin: number[]; size: number[] } {
  const shaped = { shape: x.shape } as unknown as tf.Tensor;
  const [from, length] = tf.slice_util.parseSliceParams(shaped, begin as number | number[], size as number | number[]);
  return { begin: from as number[], size: length as number[] };
}

const slice: Kernel = {
  infer: (inputs, attributes) => {
    const x = need(inputs, 'x');
    return typed(sliceBounds(x, attributes).size, x.dtype);
  },
  lower: (node, emit) => {
    const x = input(node, 'x');
    const layout = layoutOfInput(node, emit);
    const { begin, size } = sliceBounds(x, node.attributes);
    const ranges = begin.map((b, axis) => ({
      axis: physicalAxis(axis, layout),
      begin: b,
      end: b + (size[axis] as number),
    }));
    emit.define(output(node), emit.slice(emit.read(x, layout), ranges), layout);
  },
};

/** NumPy-style slicing, resolved by TensorFlow.js's own helper. */
const stridedSlice: Kernel = {
  infer: (inputs, attributes) => {
    const x = need(inputs, 'x');
    return typed(stridedBounds(x, attributes).finalShape, x.dtype);
  },
  lower: (node, emit) => {
    const x = input(node, 'x');
    const { begin, end, strides, finalShapeSparse, finalShape } = stridedBounds(x, node.attributes);
    const wire = startingAtTheLast(emit, emit.read(x), begin, strides);
    const starts = [begin, end, begin.map((_, i) => i), strides].map((list) => emit.ints(list));
    const cutOut = emit.op('Slice', [wire, ...starts], finalShapeSparse, { type: wire.type });
    emit.define(output(node), emit.reshape(cutOut, finalShape));
  },
};

/** ONNX Runtime's WebGPU walks backwards from the last element, whatever the first is said to be: what lies behind is cut off. */
function startingAtTheLast(emit: Emitter, x: Wire, begin: readonly number[], strides: readonly number[]): Wire {
  if (emit.target.provider !== 'webgpu') return x;
  const ends = begin.map((b, axis) => ((strides[axis] as number) < 0 ? b + 1 : (x.shape[axis] as number)));
  return emit.slice(
    x,
    ends.map((end, axis) => ({ axis, begin: 0, end })),
  );
}

function stridedBounds(x: Value, a: Node['attributes']) {
  const mask = (name: string): number => (a[name] as number | undefined) ?? 0;
  const info = tf.slice_util.sliceInfo(
    [...x.shape],
    a.begin as number[],
    a.end as number[],
    a.strides as number[],
    mask('beginMask'),
    mask('endMask'),
    mask('ellipsisMask'),
    mask('newAxisMask'),
    mask('shrinkAxisMask'),
  );
  // A walk backwards to the first element ends "before the beginning", which ONNX writes as a very negative end.
  const end = info.end.map((e, i) => ((info.strides[i] as number) < 0 && e < 0 ? Number.MIN_SAFE_INTEGER : e));
  return { ...info, end };
}

const tile: Kernel = {
  infer: (inputs, { reps }) => {
    const x = need(inputs, 'x');
    return typed(
      x.shape.map((d, i) => d * ((reps as number[])[i] as number)),
      x.dtype,
    );
  },
  lower: (node, emit) => {
    const out = output(node);
    const x = emit.read(input(node, 'x'));
    emit.define(out, emit.op('Tile', [x, emit.ints(node.attributes.reps as number[])], out.shape, { type: x.type }));
  },
};

const reverse: Kernel = {
  infer: (inputs) => typed(need(inputs, 'x').shape, need(inputs, 'x').dtype),
  lower: (node, emit) => {
    const layout = layoutOfInput(node, emit);
    const x = input(node, 'x');
    const axes = axesOf(node.attributes.dims, x.shape.length).map((axis) => physicalAxis(axis, layout));
    emit.define(output(node), emit.reverse(emit.read(x, layout), axes), layout);
  },
};

export const SHAPE: KernelTable = {
  Concat: concat,
  ExpandDims: reshaping('input', (x, { dim }) => {
    const at = (dim as number) < 0 ? (dim as number) + x.shape.length + 1 : (dim as number);
    return [...x.shape.slice(0, at), 1, ...x.shape.slice(at)];
  }),
  Pack: pack,
  Reshape: reshaping('x', (x, { shape }) => resolveShape(shape as number[], sizeOf(x.shape))),
  Reverse: reverse,
  Slice: slice,
  SplitV: split,
  StridedSlice: stridedSlice,
  Tile: tile,
  Transpose: transpose,
  Unpack: unpack,
};

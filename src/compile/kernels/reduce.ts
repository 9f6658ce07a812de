/** Reductions along axes, and what sorts or counts along one. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, sizeOf, type Value } from '../graph.ts';
import { type Layout, physicalAxis, physicalShape } from '../layout.ts';
import { dataType, type OnnxType } from '../onnx.ts';
import { axesOf, type Kernel, type KernelTable, typed } from './kernel.ts';

const reducedShape = (shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] =>
  keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));

const axesAttribute = (node: Node): number[] =>
  axesOf(node.attributes.axis ?? node.attributes.reductionIndices, reducedInput(node).shape.length);

const reducedInput = (node: Node): Value => input(node, 'x');

/** Reduces in the layout the operand is in; the result keeps it where it still has four axes. */
function lowerReduction(node: Node, emit: Emitter, write: (emit: Emitter, x: Wire, axes: number[]) => Wire): void {
  const x = reducedInput(node);
  const out = output(node);
  const axes = axesAttribute(node);
  const layout: Layout = emit.layoutOf(x);
  const physical = axes.map((axis) => physicalAxis(axis, layout)).sort((a, b) => a - b);
  const kept = write(emit, emit.read(x, layout), physical);
  if (out.shape.length === x.shape.length) {
    emit.define(out, emit.reshape(kept, physicalShape(out.shape, layout)), layout);
    return;
  }
  // With the channels first, what is left may be out of order: [N, 1, 1, C] is stored as [N, C, 1, 1].
  const logical = layout === 'channelsFirst' ? emit.transpose(kept, [0, 2, 3, 1]) : kept;
  emit.define(out, emit.reshape(logical, out.shape));
}

/** Sums are vectorised from an aligned address on: images that all begin at one add up in the same order. */
const ALIGNMENT = 16;

/**
 * A sum or product over axes of every image, in the same order whatever the batch. ONNX Runtime adds up columns in another
 * order than rows, and takes the columns of a single image for rows: so it is given rows, behind a reshape that keeps it
 * from turning them back.
 */
function reduceImages(emit: Emitter, operator: string, x: Wire, axes: readonly number[]): Wire {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const length = axes.reduce((product, axis) => product * (x.shape[axis] as number), 1);
  const count = kept.reduce((product, axis) => product * (x.shape[axis] as number), 1);
  const rows = emit.reshape(emit.transpose(x, [...kept, ...axes]), [count, length]);
  const wholeVectors = sizeOf(x.shape.slice(1)) % ALIGNMENT === 0 && !emit.isGiven(rows);
  const fill = operator === 'ReduceProd' ? 1 : 0;
  return reduceAxes(emit, operator, wholeVectors ? rows : aligned(emit, rows, fill), [1]);
}

/**
 * Rows filled up to whole vectors. Else the order of summation, and with it the last bit, would depend on an image's place
 * in the batch; and for what the caller hands in, on the address of his array: that is always copied.
 */
function aligned(emit: Emitter, rows: Wire, fill: number): Wire {
  const missing = ALIGNMENT - ((rows.shape[1] as number) % ALIGNMENT);
  const none = [0, 0] as const;
  return emit.pad(rows, [none, [0, missing === ALIGNMENT && !emit.isGiven(rows) ? 0 : missing]], fill);
}

function reduceAxes(emit: Emitter, operator: string, x: Wire, axes: readonly number[]): Wire {
  const shape = reducedShape(x.shape, axes, true);
  // Opset 17 takes the axes of ReduceSum as an input, those of the others as an attribute.
  if (operator === 'ReduceSum') {
    return emit.op(operator, [x, emit.ints(axes)], shape, { type: x.type, attributes: { keepdims: 1 } });
  }
  return emit.op(operator, [x], shape, { type: x.type, attributes: { axes, keepdims: 1 } });
}

/** Reduces along physical axes, which stay with length one. */
export function reduce(emit: Emitter, operator: string, x: Wire, axes: readonly number[]): Wire {
  const shape = reducedShape(x.shape, axes, true);
  if (axes.length === 0) return x;
  if (operator === 'ReduceMean') {
    const count = axes.reduce((product, axis) => product * (x.shape[axis] as number), 1);
    return emit.op('Div', [reduce(emit, 'ReduceSum', x, axes), emit.scalar(count)], shape);
  }
  const adds = operator === 'ReduceSum' || operator === 'ReduceProd';
  if (!adds || axes[0] === 0) return reduceAxes(emit, operator, x, axes);
  return emit.reshape(reduceImages(emit, operator, x, axes), shape);
}

function reduction(operator: string, dtype?: Value['dtype']): Kernel {
  return {
    infer: (inputs, attributes) => {
      const x = need(inputs, 'x');
      const axes = axesOf(attributes.axis ?? attributes.reductionIndices, x.shape.length);
      return typed(reducedShape(x.shape, axes, attributes.keepDims === true), dtype ?? x.dtype);
    },
    lower: (node, emit) =>
      lowerReduction(node, emit, (e, x, axes) => {
        const { dtype } = output(node);
        // Bool counts as whole numbers: `all` is a minimum, `any` a maximum. A mean of whole numbers has digits.
        const numbers = e.cast(x, dtype === 'bool' ? 'int32' : dtype);
        return e.cast(reduce(e, operator, numbers, axes), dtype);
      }),
  };
}

function argument(operator: 'ArgMax' | 'ArgMin'): Kernel {
  return {
    infer: (inputs, { axis }) => {
      const x = need(inputs, 'x');
      return typed(reducedShape(x.shape, axesOf(axis, x.shape.length), false), 'int32');
    },
    lower: (node, emit) =>
      lowerReduction(node, emit, (e, x, [axis]) => {
        const shape = x.shape.map((d, i) => (i === axis ? 1 : d));
        const attributes = { axis: axis as number, keepdims: 1 };
        return e.cast(e.op(operator, [x], shape, { type: 'int64', attributes }), 'int32');
      }),
  };
}

const cumulative: Kernel = {
  infer: (inputs) => typed(need(inputs, 'x').shape, need(inputs, 'x').dtype),
  lower: (node, emit) => {
    const x = emit.read(input(node, 'x'));
    const [axis] = axesOf(node.attributes.axis, x.shape.length);
    const attributes = {
      exclusive: Number(node.attributes.exclusive ?? 0),
      reverse: Number(node.attributes.reverse ?? 0),
    };
    const at = emit.constant(Int32Array.of(axis as number), [], 'int32');
    emit.define(output(node), emit.op('CumSum', [x, at], x.shape, { type: x.type, attributes }));
  },
};

/** Values and indices of the k largest along the last axis, largest first. */
const topK: Kernel = {
  several: true,
  infer: (inputs, { k }) => {
    const x = need(inputs, 'x');
    const shape = [...x.shape.slice(0, -1), k as number];
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int32' },
    ];
  },
  lower: (node, emit) => {
    const x = emit.read(input(node, 'x'));
    const [values, indices] = node.outputs as [Value, Value];
    const types: { shape: readonly number[]; type: OnnxType }[] = [
      { shape: values.shape, type: x.type },
      { shape: indices.shape, type: 'int64' },
    ];
    const [top, at] = emit.ops('TopK', [x, emit.ints([node.attributes.k as number])], types) as [Wire, Wire];
    emit.define(values, top);
    emit.define(indices, emit.op('Cast', [at], at.shape, { type: 'int32', attributes: { to: dataType('int32') } }));
  },
};

export const REDUCE: KernelTable = {
  All: reduction('ReduceMin'),
  Any: reduction('ReduceMax'),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Cumsum: cumulative,
  Max: reduction('ReduceMax'),
  Mean: reduction('ReduceMean', 'float32'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  Sum: reduction('ReduceSum'),
  TopK: topK,
};

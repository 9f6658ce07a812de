/** Kernels that look up rows and add up rows by index. */
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, sizeOf, type Value } from '../graph.ts';
import { axesOf, type Kernel, type KernelTable, typed } from './kernel.ts';

const asInt64 = (emit: Emitter, wire: Wire): Wire => emit.cast(wire, 'int64');

function gatheredShape(x: Value, indices: Value, axis: number, batchDims: number): number[] {
  return [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)];
}

const gather: Kernel = {
  infer: (inputs, { axis, batchDims }) => {
    const x = need(inputs, 'x');
    const [at] = axesOf(axis, x.shape.length) as [number];
    return typed(gatheredShape(x, need(inputs, 'indices'), at, (batchDims as number | undefined) ?? 0), x.dtype);
  },
  lower: (node, emit) => {
    const x = input(node, 'x');
    const out = output(node);
    const [axis] = axesOf(node.attributes.axis, x.shape.length) as [number];
    const batchDims = (node.attributes.batchDims as number | undefined) ?? 0;
    const indices = emit.read(input(node, 'indices'));
    if (batchDims === 0) {
      const attributes = { axis };
      emit.define(out, emit.op('Gather', [emit.read(x), indices], out.shape, { type: x.dtype, attributes }));
      return;
    }
    emit.define(out, emit.reshape(gatherPerBatch(emit, x, indices, axis, batchDims), out.shape));
  },
};

/**
 * Batched gather as a plain one: the batches are laid end to end along the gathered axis, and each batch's indices are
 * shifted by where it begins.
 */
function gatherPerBatch(emit: Emitter, x: Value, indices: Wire, axis: number, batchDims: number): Wire {
  const batches = sizeOf(x.shape.slice(0, batchDims));
  const outer = sizeOf(x.shape.slice(batchDims, axis));
  const length = x.shape[axis] as number;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const perBatch = sizeOf(indices.shape) / batches;
  const moved = emit.transpose(emit.reshape(emit.read(x), [batches, outer, length, inner]), [0, 2, 1, 3]);
  const rows = emit.reshape(moved, [batches * length, outer * inner]);
  const offsets = Int32Array.from({ length: batches }, (_, b) => b * length);
  const flat = emit.reshape(indices, [batches, perBatch]);
  const shifted = emit.op('Add', [flat, emit.constant(offsets, [batches, 1], 'int32')], [batches, perBatch], {
    type: 'int32',
  });
  const shape = [batches, perBatch, outer * inner];
  const picked = emit.op('Gather', [rows, shifted], shape, { type: x.dtype, attributes: { axis: 0 } });
  return emit.transpose(emit.reshape(picked, [batches, perBatch, outer, inner]), [0, 2, 1, 3]);
}

const gatherNd: Kernel = {
  infer: (inputs) => {
    const params = need(inputs, 'params');
    const indices = need(inputs, 'indices');
    const depth = indices.shape.at(-1) as number;
    return typed([...indices.shape.slice(0, -1), ...params.shape.slice(depth)], params.dtype);
  },
  lower: (node, emit) => {
    const params = emit.read(input(node, 'params'));
    const indices = asInt64(emit, emit.read(input(node, 'indices')));
    emit.define(output(node), emit.op('GatherND', [params, indices], output(node).shape, { type: params.type }));
  },
};

/** Zeros with `updates` added at `indices`: repeated indices add up. */
function scatterAdd(emit: Emitter, indices: Wire, updates: Wire, shape: readonly number[]): Wire {
  const zeros = emit.op('Expand', [emit.scalar(0, updates.type as 'float32'), emit.ints(shape)], shape, {
    type: updates.type,
  });
  const attributes = { reduction: 'add' };
  return emit.op('ScatterND', [zeros, asInt64(emit, indices), updates], shape, { type: updates.type, attributes });
}

const scatterNd: Kernel = {
  infer: (inputs, { shape }) => typed(shape as number[], need(inputs, 'updates').dtype),
  lower: (node, emit) => {
    const indices = emit.read(input(node, 'indices'));
    emit.define(output(node), scatterAdd(emit, indices, emit.read(input(node, 'updates')), output(node).shape));
  },
};

const unsortedSegmentSum: Kernel = {
  infer: (inputs, { numSegments }) => {
    const x = need(inputs, 'x');
    const rank = need(inputs, 'segmentIds').shape.length;
    return typed([numSegments as number, ...x.shape.slice(rank)], x.dtype);
  },
  lower: (node: Node, emit) => {
    const ids = emit.read(input(node, 'segmentIds'));
    const indices = emit.reshape(ids, [...ids.shape, 1]);
    emit.define(output(node), scatterAdd(emit, indices, emit.read(input(node, 'x')), output(node).shape));
  },
};

export const GATHER: KernelTable = {
  GatherNd: gatherNd,
  GatherV2: gather,
  ScatterNd: scatterNd,
  UnsortedSegmentSum: unsortedSegmentSum,
};

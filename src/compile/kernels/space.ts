/** Kernels that trade space for batch or channels: each pads, cuts into blocks and moves the blocks elsewhere. */
import { tf } from '../../tf.ts';
import type { Emitter, Wire } from '../emitter.ts';
import { input, type Node, need, output, paddedShape } from '../graph.ts';
import { type Kernel, type KernelTable, typed } from './kernel.ts';

type Pairs = [number, number][];

const sizeOfBlock = (blockShape: readonly number[]): number => blockShape.reduce((a, b) => a * b, 1);

/** What TensorFlow.js computes of the way: the shape in blocks, the order of its axes, the shape afterwards. */
function way(shape: readonly number[], blockShape: number[], toSpace: boolean) {
  const { getPermuted, getReshaped, getReshapedPermuted } = tf.backend_util;
  const size = sizeOfBlock(blockShape);
  const blocks = getReshaped([...shape], blockShape, size, toSpace);
  return {
    blocks,
    order: getPermuted(blocks.length, blockShape.length, toSpace),
    result: getReshapedPermuted([...shape], blockShape, size, toSpace),
  };
}

function move(emit: Emitter, x: Wire, blockShape: number[], toSpace: boolean): Wire {
  const { blocks, order, result } = way(x.shape, blockShape, toSpace);
  return emit.reshape(emit.transpose(emit.reshape(x, blocks), order), result);
}

const blockShapeOf = (node: Node): number[] => node.attributes.blockShape as number[];

/** One pair per axis: none for the batch, the given ones, none for what follows. */
const perAxis = (pairs: Pairs, rank: number): Pairs =>
  Array.from({ length: rank }, (_, axis): [number, number] => pairs[axis - 1] ?? [0, 0]);

const spaceToBatch: Kernel = {
  infer: (inputs, { blockShape, paddings }) => {
    const x = need(inputs, 'x');
    const padded = paddedShape(x.shape, perAxis(paddings as Pairs, x.shape.length));
    return typed(way(padded, blockShape as number[], false).result, x.dtype);
  },
  lower: (node, emit) => {
    const x = emit.read(input(node, 'x'));
    const padded = emit.pad(x, perAxis(node.attributes.paddings as Pairs, x.shape.length));
    emit.define(output(node), move(emit, padded, blockShapeOf(node), false));
  },
};

const batchToSpace: Kernel = {
  infer: (inputs, { blockShape, crops }) => {
    const x = need(inputs, 'x');
    const { result } = way(x.shape, blockShape as number[], true);
    const cut = perAxis(crops as Pairs, result.length);
    return typed(
      result.map((d, axis) => d - (cut[axis]?.[0] ?? 0) - (cut[axis]?.[1] ?? 0)),
      x.dtype,
    );
  },
  lower: (node, emit) => {
    const whole = move(emit, emit.read(input(node, 'x')), blockShapeOf(node), true);
    const ranges = perAxis(node.attributes.crops as Pairs, whole.shape.length).map(([before, after], axis) => ({
      axis,
      begin: before,
      end: (whole.shape[axis] as number) - after,
    }));
    emit.define(output(node), emit.slice(whole, ranges));
  },
};

/** [N, H, W, b·b·C] to [N, H·b, W·b, C]. */
const depthToSpace: Kernel = {
  infer: (inputs, { blockSize, dataFormat }) => {
    if (dataFormat === 'NCHW') throw new Error('depthToSpace with dataFormat "NCHW" is not compiled; use NHWC');
    const [n, h, w, c] = need(inputs, 'x').shape as [number, number, number, number];
    const b = blockSize as number;
    return typed([n, h * b, w * b, c / (b * b)], need(inputs, 'x').dtype);
  },
  lower: (node, emit) => {
    const x = emit.read(input(node, 'x'));
    const b = node.attributes.blockSize as number;
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const blocks = emit.reshape(x, [n, h, w, b, b, c / (b * b)]);
    emit.define(output(node), emit.reshape(emit.transpose(blocks, [0, 1, 3, 2, 4, 5]), output(node).shape));
  },
};

export const SPACE: KernelTable = {
  BatchToSpaceND: batchToSpace,
  DepthToSpace: depthToSpace,
  SpaceToBatchND: spaceToBatch,
};

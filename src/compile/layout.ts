/** Where the elements of a value lie in memory. */
import type { Emitter, Wire } from './emitter.ts';
import { sizeOf, type Value } from './graph.ts';

/**
 * `logical`: as TensorFlow.js sees it. `channelsFirst`: a rank-4 value [N, H, W, C] stored as [N, C, H, W]. `blocked`: the
 * same with the channels in blocks that fill a vector register, [N, C/b, H, W, b], which ONNX Runtime's fastest
 * convolutions read; its wires carry the shape [N, C, H, W] all the same.
 */
export type Layout = 'logical' | 'channelsFirst' | 'blocked';

/** The domain of the operators on blocked tensors. */
export const BLOCKED_DOMAIN = 'com.microsoft.nchwc';

export const TO_CHANNELS_FIRST = [0, 3, 1, 2];
export const TO_LOGICAL = [0, 2, 3, 1];

/** The physical shape of a value of that logical shape. */
export const physicalShape = (shape: readonly number[], layout: Layout): readonly number[] =>
  layout === 'logical' ? shape : TO_CHANNELS_FIRST.map((axis) => shape[axis] as number);

/** The physical position of each logical axis. */
export const physicalAxis = (axis: number, layout: Layout): number =>
  layout === 'logical' ? axis : TO_CHANNELS_FIRST.indexOf(axis);

/**
 * A value ready to be broadcast against rank-4 wires of that layout: lower ranks get leading ones first, so that a bias
 * [C] becomes [1, C, 1, 1].
 */
export function readBroadcast(emit: Emitter, value: Value, layout: Layout): Wire {
  if (layout === 'logical' || sizeOf(value.shape) === 1) {
    const wire = emit.read(value);
    return sizeOf(value.shape) === 1 && value.shape.length > 0 ? emit.reshape(wire, []) : wire;
  }
  if (value.shape.length === 4) return emit.read(value, layout);
  const padded = [...Array.from({ length: 4 - value.shape.length }, () => 1), ...value.shape];
  return emit.transpose(emit.reshape(emit.read(value), padded), TO_CHANNELS_FIRST);
}

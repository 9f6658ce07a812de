/**
 * Convolutions on blocked tensors with weights that are not constant. ONNX Runtime itself lays out constant weights this
 * way; for live ones the same operators are written here, with the weights rearranged at run time.
 */
import type { Emitter, Wire } from '../emitter.ts';
import type { Value } from '../graph.ts';
import type { ConvInfo } from './convolution-geometry.ts';

type Shape4 = [number, number, number, number];

/** Live weights, and whole blocks of channels on both sides. */
export function canBlock(emit: Emitter, filter: Value, { inChannels, outChannels }: ConvInfo): boolean {
  const { block } = emit.target;
  return block > 0 && emit.dataOf(filter) === undefined && inChannels % block === 0 && outChannels % block === 0;
}

/** [kh, kw, in, out] with `in` and `out` cut into blocks of b: six axes. */
function cutIntoBlocks(emit: Emitter, filter: Wire): Wire {
  const [kh, kw, from, to] = filter.shape as Shape4;
  const b = emit.target.block;
  return emit.reshape(filter, [kh, kw, from / b, b, to / b, b]);
}

/** [kh, kw, in, out] as [out/b, in/b, kh, kw, b of in, b of out], under the shape [out, in, kh, kw]. */
export function blockedFilter(emit: Emitter, filter: Wire): Wire {
  const [kh, kw, from, to] = filter.shape as Shape4;
  return emit.reshape(emit.transpose(cutIntoBlocks(emit, filter), [4, 2, 0, 1, 3, 5]), [to, from, kh, kw]);
}

/** The filter that carries gradients back, turned by 180° with `in` and `out` swapped, in the same form. */
export function blockedTurnedFilter(emit: Emitter, filter: Wire): Wire {
  const [kh, kw, from, to] = filter.shape as Shape4;
  const turned = cutIntoBlocks(emit, emit.reverse(filter, [0, 1]));
  return emit.reshape(emit.transpose(turned, [2, 4, 0, 1, 5, 3]), [from, to, kh, kw]);
}

/**
 * The gradient of a convolution towards its input: dx = dy ⊛ flipped filter.
 *
 * With stride 1 it is an ordinary convolution with the filter turned by 180° and its channels swapped, which takes ONNX
 * Runtime's fast path. A stride spreads dy out over a grid of zeros first; which form of that is fastest depends on the
 * filter.
 */
import type { Emitter, Wire } from '../emitter.ts';
import type { Value } from '../graph.ts';
import { BLOCKED_DOMAIN } from '../layout.ts';
import { blockedTurnedFilter, canBlock } from './blocked.ts';
import { type ConvInfo, padsOf } from './convolution-geometry.ts';
import { plainConvolution } from './plain-convolution.ts';

type Shape4 = [number, number, number, number];

/** Defines `dx` [N, H, W, C] from `dy` [N, h, w, O] and the filter [kh, kw, in, out]. */
export function inputGradient(
  emit: Emitter,
  dx: Value,
  dyValue: Value,
  filterValue: Value,
  info: ConvInfo,
  depthwise: boolean,
): void {
  const { strideHeight, strideWidth, filterHeight, filterWidth, padInfo: p } = info;
  const plainStride = strideHeight === 1 && strideWidth === 1;
  const pads = fullPads(info, info.outHeight, info.outWidth);
  if (plainStride && !depthwise && canBlock(emit, filterValue, info) && pads.every((pad) => pad >= 0)) {
    const inputs = [emit.read(dyValue, 'blocked'), blockedTurnedFilter(emit, emit.read(filterValue))];
    const attributes = { kernel_shape: [filterHeight, filterWidth], pads };
    const shape = [info.batchSize, info.inChannels, info.inHeight, info.inWidth];
    emit.define(dx, emit.op('Conv', inputs, shape, { attributes, domain: BLOCKED_DOMAIN }), 'blocked');
    return;
  }
  const dy = emit.read(dyValue, 'channelsFirst');
  const filter = emit.read(filterValue);
  const pointwise = filterHeight === 1 && filterWidth === 1 && p.top === 0 && p.left === 0;
  const gradient = (): Wire => {
    if (plainStride) return correlate(emit, dy, filter, info, depthwise);
    if (pointwise) return spread(emit, correlatePointwise(emit, dy, filter, info, depthwise), info);
    if (depthwise) return correlate(emit, spread(emit, dy, info), filter, info, depthwise);
    return transposedConvolution(emit, dy, filter, info);
  };
  emit.define(dx, gradient(), 'channelsFirst');
}

/** Zeros around a map of height h and width w such that a full correlation gives dx: top, left, bottom, right. */
function fullPads(
  { filterHeight, filterWidth, inHeight, inWidth, padInfo: p }: ConvInfo,
  h: number,
  w: number,
): Shape4 {
  const top = filterHeight - 1 - p.top;
  const left = filterWidth - 1 - p.left;
  return [top, left, inHeight + filterHeight - 1 - h - top, inWidth + filterWidth - 1 - w - left];
}

/** The filter that carries gradients back: turned by 180°, input and output channels swapped. */
function turned(emit: Emitter, filter: Wire): Wire {
  return emit.transpose(emit.reverse(filter, [0, 1]), [2, 3, 0, 1]);
}

/** Full correlation of dy (spread out, if there was a stride) with the turned filter. */
function correlate(emit: Emitter, dy: Wire, filter: Wire, info: ConvInfo, depthwise: boolean): Wire {
  const [, , h, w] = dy.shape as Shape4;
  const pads = fullPads(info, h, w);
  // A convolution cannot pad by less than nothing: rows that lie outside are cut off beforehand.
  const cut = pads.map((pad) => Math.min(0, pad)) as Shape4;
  const cropped = emit.pad(dy, [
    [0, 0],
    [0, 0],
    [cut[0], cut[2]],
    [cut[1], cut[3]],
  ]);
  const attributes = {
    group: depthwise ? info.inChannels : 1,
    kernel_shape: [info.filterHeight, info.filterWidth],
    pads: pads.map((pad) => Math.max(0, pad)),
  };
  const shape = [info.batchSize, info.inChannels, info.inHeight, info.inWidth];
  return plainConvolution(emit, { x: cropped, filter: turned(emit, filter) }, shape, attributes);
}

/** A 1x1 filter works on the small map, before it is spread out. */
function correlatePointwise(emit: Emitter, dy: Wire, filter: Wire, info: ConvInfo, depthwise: boolean): Wire {
  const [n, , h, w] = dy.shape as Shape4;
  const attributes = { group: depthwise ? info.inChannels : 1, kernel_shape: [1, 1] };
  return plainConvolution(emit, { x: dy, filter: turned(emit, filter) }, [n, info.inChannels, h, w], attributes);
}

/**
 * Values at multiples of the stride, zeros between; for a 1x1 filter cropped or filled up to the input's extent. Columns are
 * spread by a product with a 0/1 matrix, rows by padding each with empty ones: both are long contiguous work, which a pad
 * between single numbers is not.
 */
function spread(emit: Emitter, dy: Wire, info: ConvInfo): Wire {
  const { strideHeight: sh, strideWidth: sw, filterHeight, filterWidth } = info;
  const [n, c, h, w] = dy.shape as Shape4;
  const pointwise = filterHeight === 1 && filterWidth === 1;
  const height = pointwise ? info.inHeight : h * sh;
  const width = pointwise ? info.inWidth : w * sw;
  const places = new Float32Array(w * width);
  for (let i = 0; i < w; i++) places[i * width + i * sw] = 1;
  const rows = emit.op(
    'MatMul',
    [emit.reshape(dy, [n * c * h, w]), emit.constant(places, [w, width], 'float32')],
    [n * c * h, width],
  );
  const none = [0, 0] as const;
  const apart = emit.reshape(emit.pad(rows, [none, [0, (sh - 1) * width]]), [n, c, h * sh * width]);
  return emit.reshape(emit.pad(apart, [none, none, [0, (height - h * sh) * width]]), [n, c, height, width]);
}

function transposedConvolution(emit: Emitter, dy: Wire, filter: Wire, info: ConvInfo): Wire {
  const { inHeight, inWidth, strideHeight, strideWidth, filterHeight, filterWidth, padInfo: p } = info;
  const reached = (out: number, stride: number, size: number, before: number, after: number): number =>
    (out - 1) * stride + size - before - after;
  const attributes = {
    kernel_shape: [filterHeight, filterWidth],
    strides: [strideHeight, strideWidth],
    pads: padsOf(info),
    // Rows of x that no window reached: they stay zero.
    output_padding: [
      inHeight - reached(info.outHeight, strideHeight, filterHeight, p.top, p.bottom),
      inWidth - reached(info.outWidth, strideWidth, filterWidth, p.left, p.right),
    ],
  };
  const weights = emit.transpose(filter, [3, 2, 0, 1]);
  return emit.op('ConvTranspose', [dy, weights], [info.batchSize, info.inChannels, inHeight, inWidth], { attributes });
}

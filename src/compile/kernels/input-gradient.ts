/**
 * The gradient of a convolution towards its input: dx = dy ⊛ flipped filter.
 *
 * With stride 1 it is an ordinary convolution with the filter turned by 180° and its channels swapped, which takes ONNX
 * Runtime's fast path. A stride spreads dy out over a grid of zeros first; which form of that is fastest depends on the
 * filter.
 */
import type { Emitter, Wire } from '../emitter.ts';
import { type ConvInfo, padsOf } from './convolution.ts';

type Shape4 = [number, number, number, number];

/** dy [N, O, h, w] and the filter in TensorFlow.js's order [kh, kw, in, out] to dx [N, C, H, W]. */
export function inputGradient(emit: Emitter, dy: Wire, filter: Wire, info: ConvInfo, depthwise: boolean): Wire {
  const { strideHeight, strideWidth, filterHeight, filterWidth, padInfo: p } = info;
  if (strideHeight === 1 && strideWidth === 1) return correlate(emit, dy, filter, info, depthwise);
  const pointwise = filterHeight === 1 && filterWidth === 1 && p.top === 0 && p.left === 0;
  if (pointwise) return spread(emit, correlatePointwise(emit, dy, filter, info, depthwise), info);
  if (depthwise) return correlate(emit, spread(emit, dy, info), filter, info, depthwise);
  return transposedConvolution(emit, dy, filter, info);
}

/** The filter that carries gradients back: turned by 180°, input and output channels swapped. */
function turned(emit: Emitter, filter: Wire): Wire {
  return emit.transpose(emit.reverse(filter, [0, 1]), [2, 3, 0, 1]);
}

/** Full correlation of dy (spread out, if there was a stride) with the turned filter. */
function correlate(emit: Emitter, dy: Wire, filter: Wire, info: ConvInfo, depthwise: boolean): Wire {
  const { filterHeight, filterWidth, inHeight, inWidth, padInfo: p } = info;
  const [, , h, w] = dy.shape as Shape4;
  const top = filterHeight - 1 - p.top;
  const left = filterWidth - 1 - p.left;
  const bottom = inHeight + filterHeight - 1 - h - top;
  const right = inWidth + filterWidth - 1 - w - left;
  // A convolution cannot pad by less than nothing: rows that lie outside are cut off beforehand.
  const cut = [top, left, bottom, right].map((pad) => Math.min(0, pad)) as Shape4;
  const cropped = emit.pad(dy, [
    [0, 0],
    [0, 0],
    [cut[0], cut[2]],
    [cut[1], cut[3]],
  ]);
  const attributes = {
    group: depthwise ? info.inChannels : 1,
    kernel_shape: [filterHeight, filterWidth],
    pads: [top, left, bottom, right].map((pad) => Math.max(0, pad)),
  };
  const shape = [info.batchSize, info.inChannels, inHeight, inWidth];
  return emit.op('Conv', [cropped, turned(emit, filter)], shape, { attributes });
}

/** A 1x1 filter works on the small map, before it is spread out. */
function correlatePointwise(emit: Emitter, dy: Wire, filter: Wire, info: ConvInfo, depthwise: boolean): Wire {
  const [n, , h, w] = dy.shape as Shape4;
  const attributes = { group: depthwise ? info.inChannels : 1, kernel_shape: [1, 1] };
  return emit.op('Conv', [dy, turned(emit, filter)], [n, info.inChannels, h, w], { attributes });
}

/** Values at multiples of the stride, zeros between, cropped or padded to the extent that dx may touch. */
function spread(emit: Emitter, dy: Wire, info: ConvInfo): Wire {
  const { strideHeight: sh, strideWidth: sw } = info;
  const [n, c, h, w] = dy.shape as Shape4;
  const apart = emit.reshape(dy, [n, c, h, 1, w, 1]);
  const none = [0, 0] as const;
  const padded = emit.pad(apart, [none, none, none, [0, sh - 1], none, [0, sw - 1]]);
  const wide = emit.reshape(padded, [n, c, h * sh, w * sw]);
  const { inHeight, inWidth, filterHeight, filterWidth } = info;
  if (filterHeight !== 1 || filterWidth !== 1) return wide;
  return emit.pad(wide, [none, none, [0, inHeight - h * sh], [0, inWidth - w * sw]]);
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

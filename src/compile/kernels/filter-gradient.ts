/**
 * The gradient of a convolution towards its filter: dW[i, j] = Σ over images and positions of x, shifted by (i, j), times
 * dy. It dominates training, so it is written as matrix products over long sums.
 */
import type { Emitter, Wire } from '../emitter.ts';
import type { ConvInfo } from './convolution.ts';

type Shape4 = [number, number, number, number];

/** x [N, C, H, W] and dy [N, O, h, w] to dW [kh, kw, C, O], or [kh, kw, C, multiplier] when depthwise. */
export function filterGradient(emit: Emitter, x: Wire, dy: Wire, info: ConvInfo, depthwise: boolean): Wire {
  return depthwise ? depthwiseGradient(emit, x, dy, info) : denseGradient(emit, x, dy, info);
}

/** x shifted and strided as filter element (i, j) saw it: [N, C, h, w]. */
function windowOf(emit: Emitter, padded: Wire, i: number, j: number, info: ConvInfo): Wire {
  const { outHeight, outWidth, strideHeight, strideWidth } = info;
  return emit.slice(padded, [
    { axis: 2, begin: i, end: i + (outHeight - 1) * strideHeight + 1, step: strideHeight },
    { axis: 3, begin: j, end: j + (outWidth - 1) * strideWidth + 1, step: strideWidth },
  ]);
}

const padInput = (emit: Emitter, x: Wire, { padInfo: p }: ConvInfo): Wire =>
  emit.pad(x, [
    [0, 0],
    [0, 0],
    [p.top, p.bottom],
    [p.left, p.right],
  ]);

/** Every filter element's view of x, stacked along the channels: [N, kh·kw·C, h·w]. */
function columns(emit: Emitter, x: Wire, info: ConvInfo): Wire {
  const { filterHeight, filterWidth, outHeight, outWidth } = info;
  const padded = padInput(emit, x, info);
  const [n, c] = x.shape as Shape4;
  const views: Wire[] = [];
  for (let i = 0; i < filterHeight; i++) {
    for (let j = 0; j < filterWidth; j++) views.push(windowOf(emit, padded, i, j, info));
  }
  const shape = [n, views.length * c, outHeight, outWidth];
  const stacked =
    views.length === 1 ? (views[0] as Wire) : emit.op('Concat', views, shape, { attributes: { axis: 1 } });
  return emit.reshape(stacked, [n, views.length * c, outHeight * outWidth]);
}

function denseGradient(emit: Emitter, x: Wire, dy: Wire, info: ConvInfo): Wire {
  const [n, o, h, w] = dy.shape as Shape4;
  const left = columns(emit, x, info);
  const right = emit.reshape(dy, [n, o, h * w]);
  const rows = left.shape[1] as number;
  // Batch folded into the long axis: one product [kh·kw·C, N·h·w] · [N·h·w, O].
  const folded = (wire: Wire): Wire =>
    emit.reshape(emit.transpose(wire, [1, 0, 2]), [wire.shape[1] as number, n * h * w]);
  const gradient = emit.op('Gemm', [folded(left), folded(right)], [rows, o], { attributes: { transB: 1 } });
  return emit.reshape(gradient, [info.filterHeight, info.filterWidth, info.inChannels, o]);
}

function depthwiseGradient(emit: Emitter, x: Wire, dy: Wire, info: ConvInfo): Wire {
  const { filterHeight, filterWidth, inChannels, outHeight, outWidth } = info;
  const [n] = x.shape as Shape4;
  const multiplier = info.outChannels / inChannels;
  const padded = padInput(emit, x, info);
  const grouped = emit.reshape(dy, [n, inChannels, multiplier, outHeight * outWidth]);
  const sums: Wire[] = [];
  for (let i = 0; i < filterHeight; i++) {
    for (let j = 0; j < filterWidth; j++) {
      const view = emit.reshape(windowOf(emit, padded, i, j, info), [n, inChannels, 1, outHeight * outWidth]);
      const products = emit.op('Mul', [view, grouped], grouped.shape);
      const attributes = { keepdims: 1 };
      sums.push(emit.op('ReduceSum', [products, emit.ints([0, 3])], [1, inChannels, multiplier, 1], { attributes }));
    }
  }
  const stacked = emit.op('Concat', sums, [sums.length, inChannels, multiplier, 1], { attributes: { axis: 0 } });
  return emit.reshape(stacked, [filterHeight, filterWidth, inChannels, multiplier]);
}

/**
 * The gradient of a convolution towards its filter: dW[i, j] = Σ over images and positions of x, shifted by (i, j), times
 * dy. It dominates training, so it is written as matrix products over long sums.
 */
import type { Emitter, Wire } from '../emitter.ts';
import type { ConvInfo } from './convolution-geometry.ts';

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

/** Positions per image from which on it pays to multiply image by image: below, the products are too short. */
const LONG_ENOUGH = 32;

function denseGradient(emit: Emitter, x: Wire, dy: Wire, info: ConvInfo): Wire {
  const { filterHeight: kh, filterWidth: kw, inChannels, outChannels, strideHeight, strideWidth } = info;
  const shape = [kh, kw, inChannels, outChannels];
  if (info.outHeight * info.outWidth < LONG_ENOUGH) return emit.reshape(foldedProduct(emit, x, dy, info), shape);
  // Rows of dy that are longer than those of x have no place in x's lines.
  const plain = kh * kw === 1 || strideHeight !== 1 || strideWidth !== 1 || info.outWidth > info.inWidth;
  if (plain) return emit.reshape(sumOfProducts(emit, columns(emit, x, info), flat(emit, dy)), shape);
  const product = sumOfProducts(emit, shiftedRows(emit, x, info), shiftedColumns(emit, dy, info));
  return emit.transpose(emit.reshape(product, [inChannels, kh, outChannels, kw]), [1, 3, 0, 2]);
}

const flat = (emit: Emitter, wire: Wire): Wire => {
  const [n, c, h, w] = wire.shape as Shape4;
  return emit.reshape(wire, [n, c, h * w]);
};

/** Σ over images of a[n] · b[n]ᵀ: [N, A, K] and [N, B, K] to [A, B]. */
function sumOfProducts(emit: Emitter, a: Wire, b: Wire): Wire {
  const [n, rows] = a.shape as [number, number];
  const columnCount = b.shape[1] as number;
  const products = emit.op('FusedMatMul', [a, b], [n, rows, columnCount], {
    domain: 'com.microsoft',
    attributes: { transB: 1 },
  });
  return emit.op('ReduceSum', [products, emit.ints([0])], [rows, columnCount], { attributes: { keepdims: 0 } });
}

/** The batch folded into the long axis: one product [kh·kw·C, N·h·w] · [N·h·w, O]. */
function foldedProduct(emit: Emitter, x: Wire, dy: Wire, info: ConvInfo): Wire {
  const fold = (wire: Wire): Wire => {
    const [n, c, positions] = wire.shape as [number, number, number];
    return emit.reshape(emit.transpose(wire, [1, 0, 2]), [c, n * positions]);
  };
  const left = fold(columns(emit, x, info));
  const right = fold(flat(emit, dy));
  return emit.op('Gemm', [left, right], [left.shape[0] as number, info.outChannels], { attributes: { transB: 1 } });
}

/**
 * With stride 1 a shift by (i, j) is a shift of x by i rows and of dy by j columns. So kh row-shifted copies of x against
 * kw column-shifted copies of dy give all kh·kw blocks in one product, where im2col would copy x kh·kw times.
 *
 * In the flattened map both shifts are offsets: each copy lies in a line of zeros, a little longer than the map, at its own
 * place. One `Concat` of maps and zeros per side makes all copies.
 */
function shiftedRows(emit: Emitter, x: Wire, info: ConvInfo): Wire {
  const { filterHeight, inHeight, inWidth } = info;
  const map = flat(emit, x);
  const copies = Array.from({ length: filterHeight }, (_, i) => ({ map, at: (filterHeight - 1 - i) * inWidth }));
  return lines(emit, copies, (inHeight + filterHeight - 1) * inWidth);
}

function shiftedColumns(emit: Emitter, dy: Wire, info: ConvInfo): Wire {
  const { filterHeight, filterWidth, inHeight, inWidth, outHeight, outWidth, padInfo: p } = info;
  const none = [0, 0] as const;
  // Row h of dy meets row h + i - top of x; x's copies begin filterHeight - 1 - i rows down.
  const down = (filterHeight - 1 - p.top) * inWidth;
  const wide = flat(emit, emit.pad(dy, [none, none, none, [0, inWidth - outWidth]]));
  const copies = Array.from({ length: filterWidth }, (_, j) => {
    const shift = j - p.left;
    const mask = rowMask(shift, outWidth, outHeight, inWidth);
    const covered = mask.every((inside) => inside === 1);
    const masked = covered ? wide : emit.op('Mul', [wide, emit.constant(mask, [mask.length], 'float32')], wide.shape);
    return { map: masked, at: down + shift };
  });
  return lines(emit, copies, (inHeight + filterHeight - 1) * inWidth);
}

/** 1 where position w of a row, moved by `shift`, stays inside the row (and inside the map's own width), else 0. */
function rowMask(shift: number, ownWidth: number, height: number, width: number): Float32Array {
  return Float32Array.from({ length: height * width }, (_, i) => {
    const from = i % width;
    return from < ownWidth && from + shift >= 0 && from + shift < width ? 1 : 0;
  });
}

/** Maps [N, C, K] laid into lines of zeros of the given length, each at its place: [N, C · copies, length]. */
function lines(emit: Emitter, copies: readonly { readonly map: Wire; readonly at: number }[], length: number): Wire {
  const [n, c, size] = (copies[0] as (typeof copies)[number]).map.shape as [number, number, number];
  const pieces: Wire[] = [];
  const addZeros = (count: number): void => {
    if (count === 0) return;
    pieces.push(emit.zeros([n, c, count]));
  };
  for (const { map, at } of copies) {
    // A line may begin before its map does, or the map may stick out at either end.
    const from = Math.max(0, -at);
    const to = Math.min(size, length - at);
    addZeros(Math.max(0, at));
    pieces.push(emit.slice(map, [{ axis: 2, begin: from, end: to }]));
    addZeros(length - Math.max(0, at) - (to - from));
  }
  const joined =
    pieces.length === 1
      ? (pieces[0] as Wire)
      : emit.op('Concat', pieces, [n, c, copies.length * length], { attributes: { axis: 2 } });
  return emit.reshape(joined, [n, c * copies.length, length]);
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

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

/** Positions per image from which on it pays to multiply image by image: below, the products are too short. */
const LONG_ENOUGH = 32;

function denseGradient(emit: Emitter, x: Wire, dy: Wire, info: ConvInfo): Wire {
  const { filterHeight: kh, filterWidth: kw, inChannels, outChannels, strideHeight, strideWidth } = info;
  const shape = [kh, kw, inChannels, outChannels];
  if (info.outHeight * info.outWidth < LONG_ENOUGH) return emit.reshape(foldedProduct(emit, x, dy, info), shape);
  const plain = kh * kw === 1 || strideHeight !== 1 || strideWidth !== 1;
  if (plain) return emit.reshape(sumOfProducts(emit, columns(emit, x, info), flat(emit, dy)), shape);
  const product = sumOfProducts(emit, shiftedRows(emit, x, info), shiftedColumns(emit, dy, info));
  return emit.transpose(emit.reshape(product, [kh, inChannels, kw, outChannels]), [0, 2, 1, 3]);
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
 * With stride 1 a shift by (i, j) is a shift of x by i rows and of dy by -j columns. So kh row-shifted copies of x against
 * kw column-shifted copies of dy give all kh·kw blocks in one product, where im2col would copy x kh·kw times.
 */
function shiftedRows(emit: Emitter, x: Wire, info: ConvInfo): Wire {
  const { filterHeight, inHeight, inWidth, outHeight, padInfo: p } = info;
  const rows = flat(emit, x);
  const copies = Array.from({ length: filterHeight }, (_, i) => {
    // Whole rows: in the flattened map, a contiguous piece with zeros before or after.
    const shift = (i - p.top) * inWidth;
    const none = [0, 0] as const;
    return emit.pad(rows, [none, none, [-shift, outHeight * inWidth - inHeight * inWidth + shift]]);
  });
  return stack(emit, copies);
}

function shiftedColumns(emit: Emitter, dy: Wire, info: ConvInfo): Wire {
  const { filterWidth, inWidth, outHeight, outWidth, padInfo: p } = info;
  const none = [0, 0] as const;
  const copies = Array.from({ length: filterWidth }, (_, j) => {
    const shift = j - p.left;
    if (outWidth !== inWidth) return flat(emit, emit.pad(dy, [none, none, none, [shift, inWidth - outWidth - shift]]));
    if (shift === 0) return flat(emit, dy);
    // Shifting the flattened map is one contiguous copy; what crosses from row to row is then masked out.
    const moved = emit.pad(flat(emit, dy), [none, none, [shift, -shift]]);
    return emit.op(
      'Mul',
      [moved, emit.constant(rowMask(shift, outHeight, inWidth), [outHeight * inWidth], 'float32')],
      moved.shape,
    );
  });
  return stack(emit, copies);
}

/** 1 where column v - shift lies inside the row, 0 elsewhere, for every position of the map. */
function rowMask(shift: number, height: number, width: number): Float32Array {
  return Float32Array.from({ length: height * width }, (_, i) => {
    const from = (i % width) - shift;
    return from >= 0 && from < width ? 1 : 0;
  });
}

/** Copies [N, C, K] side by side along the channels. */
function stack(emit: Emitter, copies: readonly Wire[]): Wire {
  const [first] = copies as [Wire, ...Wire[]];
  if (copies.length === 1) return first;
  const [n, c, positions] = first.shape as [number, number, number];
  return emit.op('Concat', copies, [n, c * copies.length, positions], { attributes: { axis: 1 } });
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

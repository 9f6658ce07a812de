/**
 * Scaling by the antialiased bilinear filter of Pillow, bit for bit: a triangle as wide as the scale, first along rows, then
 * along columns, weights in fixed point, each pass rounded to 8 bits (src/libImaging/Resample.c of Pillow).
 *
 * Networks were trained on what that filter gives; another one, though it may look the same, shifts their accuracy.
 */

/** Bits after the point of a weight: 32, less 8 of the pixel and 2 for sums that overshoot. */
const PRECISION_BITS = 32 - 8 - 2;
const HALF = 1 << (PRECISION_BITS - 1);

/** The inputs that a run of neighbouring outputs is mixed from, along one axis. */
export interface Taps {
  /** Input of the first weight, for each output. */
  readonly start: Int32Array;
  /** Number of weights, for each output. */
  readonly count: Int32Array;
  /** `width` weights for each output, in fixed point. */
  readonly weights: Int32Array;
  readonly width: number;
}

/** Outputs `first` … `first + outputs - 1` of an axis of `from` values scaled to `to`. */
export function tapsOf(from: number, to: number, first: number, outputs: number): Taps {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const width = Math.ceil(support) * 2 + 1;
  const taps = {
    start: new Int32Array(outputs),
    count: new Int32Array(outputs),
    weights: new Int32Array(outputs * width),
    width,
  };
  const weights = new Float64Array(width);
  for (let i = 0; i < outputs; i++) {
    const centre = (first + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      // As Pillow multiplies by the reciprocal: dividing would round otherwise.
      weights[k] = Math.max(0, 1 - Math.abs((k + start - centre + 0.5) * (1 / support)));
      sum += weights[k] as number;
    }
    taps.start[i] = start;
    taps.count[i] = count;
    for (let k = 0; k < count; k++) {
      taps.weights[i * width + k] = Math.trunc(0.5 + ((weights[k] as number) / sum) * (1 << PRECISION_BITS));
    }
  }
  return taps;
}

/** The last input that any output is mixed from: taps move on monotonically. */
export const lastInput = ({ start, count }: Taps): number =>
  (start[start.length - 1] as number) + (count[count.length - 1] as number) - 1;

/** 8-bit RGB pixels of which some rows or columns have been left out before the first. */
export interface Layout {
  /** Pixels in a row. */
  readonly width: number;
  /** The number that the first one has along the axis of the taps. */
  readonly first: number;
}

/** Scales along rows: each row of `source` becomes one of `target`, as wide as there are outputs. */
export function scaleRows(source: Uint8Array, layout: Layout, taps: Taps, target: Uint8Array): void {
  const { start, count, weights, width } = taps;
  const rows = source.length / (layout.width * 3);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const from = (row * layout.width - layout.first) * 3;
    for (let i = 0; i < start.length; i++) {
      // Three plain sums: this is the loop that all pixels of a photograph pass through.
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let at = from + (start[i] as number) * 3;
      const end = i * width + (count[i] as number);
      for (let k = i * width; k < end; k++) {
        const weight = weights[k] as number;
        red += weight * (source[at++] as number);
        green += weight * (source[at++] as number);
        blue += weight * (source[at++] as number);
      }
      target[to++] = red >> PRECISION_BITS;
      target[to++] = green >> PRECISION_BITS;
      target[to++] = blue >> PRECISION_BITS;
    }
  }
}

/** Scales along columns: as many rows as there are outputs. */
export function scaleColumns(source: Uint8Array, layout: Layout, taps: Taps): Uint8Array {
  const { start, count, weights, width } = taps;
  const rowBytes = layout.width * 3;
  const target = new Uint8Array(start.length * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let row = 0; row < start.length; row++) {
    sums.fill(HALF);
    for (let k = 0; k < (count[row] as number); k++) {
      const weight = weights[row * width + k] as number;
      const from = ((start[row] as number) + k - layout.first) * rowBytes;
      for (let x = 0; x < rowBytes; x++) sums[x] = (sums[x] as number) + weight * (source[from + x] as number);
    }
    for (let x = 0; x < rowBytes; x++) target[row * rowBytes + x] = (sums[x] as number) >> PRECISION_BITS;
  }
  return target;
}

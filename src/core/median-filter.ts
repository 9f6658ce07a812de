/** The median of every pixel's neighbourhood, with its true subgradient: all of it goes to the pixel that is the median. */
import { tf } from '../tf.ts';

/** Index of the pixel that stands for one outside the line, mirrored at its edge: d c b a | a b c d | d c b a. */
export function mirrored(index: number, length: number): number {
  const within = ((index % (2 * length)) + 2 * length) % (2 * length);
  return within < length ? within : 2 * length - 1 - within;
}

/** Row or column `offset` away from each of a line's pixels. */
const shifted = (length: number, offset: number): tf.Tensor1D =>
  tf.tensor1d(
    Array.from({ length }, (_, i) => mirrored(i + offset, length)),
    'int32',
  );

/** The size² pixels around each, [B, H, W, C, size²]; around an even size one more before than behind. */
function neighbourhoods(x: tf.Tensor4D, size: number): tf.Tensor5D {
  const [, height, width] = x.shape;
  const offsets = Array.from({ length: size }, (_, i) => i - Math.floor(size / 2));
  const rows = offsets.map((offset) => tf.gather(x, shifted(height, offset), 1));
  return tf.stack(
    rows.flatMap((row) => offsets.map((offset) => tf.gather(row, shifted(width, offset), 2))),
    4,
  ) as tf.Tensor5D;
}

/** Which pixel of each neighbourhood is its median, of several alike the first: one-hot, without a gradient. */
function chosen(around: tf.Tensor5D): tf.Tensor5D {
  const count = around.shape[4];
  const rank = Math.floor(count / 2);
  // The largest come first: the last of those above and at the median.
  const largest = tf.topk(around, count - rank).values;
  const median = largest.slice([0, 0, 0, 0, count - rank - 1], [-1, -1, -1, -1, 1]);
  return tf.oneHot(tf.equal(around, median).toFloat().argMax(4).toInt(), count).toFloat() as tf.Tensor5D;
}

/** Its value as a constant, whatever it is computed from. */
const constantOf = tf.customGrad((around: tf.Tensor | tf.GradSaveFunc) => ({
  value: chosen(around as tf.Tensor5D),
  gradFunc: (upstream: tf.Tensor) => tf.zerosLike(upstream),
}));

/**
 * Images [B, H, W, C], each channel on its own: of each pixel's size × size neighbourhood the middle one by size; where two
 * share the middle, the larger. Edges are mirrored.
 */
export function medianFilter(x: tf.Tensor4D, size: number): tf.Tensor4D {
  if (size === 1) return x;
  const around = neighbourhoods(x, size);
  return around.mul(constantOf(around)).sum(4);
}

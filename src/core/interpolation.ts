/** Resizing and padding as a matrix: differentiable by transposing it, another one for each image, one shape for all. */
import { tf } from '../tf.ts';

export interface Placement {
  /** How many pixels the line has. */
  readonly from: number;
  /** How many pixels it is laid on. */
  readonly onto: number;
  /** To how many pixels each image's line is resized first: [B, 1, 1], whole numbers of at least 1. */
  readonly size: tf.Tensor3D;
  /** How many zeros come before it: [B, 1, 1], whole numbers. */
  readonly offset: tf.Tensor3D;
}

/**
 * The matrices [B, onto, from] that resize a line of pixels bilinearly (half-pixel centres, the edge repeated outwards)
 * and pad it with zeros. A pixel's two weights are a tent around where it lies in the line.
 */
export function interpolation({ from, onto, size, offset }: Placement): tf.Tensor3D {
  const pixel = tf.range(0, onto).reshape([1, onto, 1]).sub(offset);
  const source = pixel
    .add(0.5)
    .mul(tf.scalar(from).div(size))
    .sub(0.5)
    .clipByValue(0, from - 1);
  const tent = tf
    .scalar(1)
    .sub(source.sub(tf.range(0, from)).abs())
    .relu();
  const inside = pixel.greaterEqual(0).logicalAnd(pixel.less(size)).toFloat();
  return tent.mul(inside) as tf.Tensor3D;
}

/**
 * The matrices [B, L, L] that enlarge a line of L pixels to less than `canvas` of them, pad it with zeros to the canvas, and
 * resize that to L again: the picture shrinks a little, at a place of its own.
 *
 * @param share - how much of the room on the canvas the enlarged line takes, from 0 to below 1: [B, 1, 1]
 * @param place - how much of the rest comes before it: [B, 1, 1]
 */
export function enlargement(length: number, canvas: number, share: tf.Tensor3D, place: tf.Tensor3D): tf.Tensor3D {
  const size = share
    .mul(canvas - length)
    .floor()
    .add(length) as tf.Tensor3D;
  const offset = place.mul(tf.scalar(canvas + 1).sub(size)).floor() as tf.Tensor3D;
  const whole = { size: tf.fill([1, 1, 1], length) as tf.Tensor3D, offset: tf.zeros([1, 1, 1]) as tf.Tensor3D };
  const shrink = interpolation({ from: canvas, onto: length, ...whole });
  return tf.matMul(shrink, interpolation({ from: length, onto: canvas, size, offset }));
}

/** Every column of x [B, H, W, C] under `rows` [B, H', H], every row under `columns` [B, W', W]: [B, H', W', C]. */
export const resample = (x: tf.Tensor4D, rows: tf.Tensor3D, columns: tf.Tensor3D): tf.Tensor4D =>
  alongFirst(alongFirst(x, rows), columns);

/** The product along the first axis of each image, and its two axes exchanged. */
function alongFirst(x: tf.Tensor4D, matrix: tf.Tensor3D): tf.Tensor4D {
  const [batch, length, width, channels] = x.shape;
  const product = tf.matMul(matrix, x.reshape<tf.Tensor3D>([batch, length, width * channels]));
  return product.reshape([batch, matrix.shape[1], width, channels]).transpose([0, 2, 1, 3]);
}

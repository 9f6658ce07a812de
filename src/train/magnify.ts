import { tf } from '../tf.ts';

/** Where to look, for each image: [B, 1, 1]. Places are in pixels of the magnified image; beyond it there are zeros. */
export interface Window {
  /** How many times larger the image becomes; below 1, smaller. */
  readonly scale: tf.Tensor3D;
  readonly top: tf.Tensor3D;
  readonly left: tf.Tensor3D;
}

/**
 * A window of the size of the image, [B, H, W, C], cut out of the image scaled. Scaling is Pillow's bilinear one, which
 * averages where it makes smaller; a scale of 1 and whole places move pixels exactly.
 *
 * Each axis is a matrix of its own for every image, so that shapes are static and no image touches another.
 */
export function magnify(x: tf.Tensor4D, { scale, top, left }: Window): tf.Tensor4D {
  const [images, height, width, channels] = x.shape;
  const rows = tf.matMul(tapsOf(height, scale, top), x.reshape([images, height, width * channels]));
  const columnsFirst = rows.reshape([images, height, width, channels]).transpose([0, 2, 1, 3]);
  const columns = tf.matMul(tapsOf(width, scale, left), columnsFirst.reshape([images, width, height * channels]));
  return columns.reshape([images, width, height, channels]).transpose([0, 2, 1, 3]) as tf.Tensor4D;
}

/** What each of n old pixels contributes to each of n new ones: [B, new, old], rows that add up to 1, or to 0 outside. */
function tapsOf(n: number, scale: tf.Tensor3D, start: tf.Tensor3D): tf.Tensor3D {
  const index = tf.range(0, n);
  // Pixels have their centres at halves.
  const place = index.reshape([1, n, 1]).add(start).add(0.5).div(scale).sub(0.5);
  const distance = place.sub(index.reshape([1, 1, n])).abs();
  const triangle = tf
    .scalar(1)
    .sub(distance.mul(scale.minimum(1)))
    .relu();
  const isInside = place
    .greaterEqual(-0.5)
    .logicalAnd(place.lessEqual(n - 0.5))
    .toFloat();
  // Inside, the nearest pixel alone contributes a half.
  return triangle.div(triangle.sum(2, true).maximum(0.5)).mul(isInside) as tf.Tensor3D;
}

/**
 * Poses: how an image is shifted and turned, as a small move of the camera would do it.
 *
 * Engstrom, Tran, Tsipras, Schmidt, Madry, "Exploring the Landscape of Spatial Robustness", ICML 2019, section 3 and
 * appendix A: about its centre by up to 30 degrees first, then by up to 3 pixels of 28 or 32, or 24 of 224, either way.
 * Pixels in between are interpolated linearly, and what comes in from outside is black.
 */
import { tf } from '../tf.ts';

/** How far right, down, and clockwise, each as so many times the most of radius 1: at radius ε from -ε to ε. */
export type Pose = readonly [right: number, down: number, turn: number];

/** The most at radius 1: pixels right and down, and radians. */
export const mostOf = (height: number, width: number): Pose => [
  Math.round((3 / 28) * width),
  Math.round((3 / 28) * height),
  Math.PI / 6,
];

/**
 * The images [B, H, W, C] in their poses [B, 3]; what is beyond `epsilon` [B, 1, 1, 1] either way goes as far as that.
 *
 * The pixel at p shows what was at R⁻¹(p - c - t) + c, where c is the centre, t the shift and R the turn.
 */
export function render(clean: tf.Tensor4D, pose: tf.Tensor2D, epsilon: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = clean.shape;
  const most = mostOf(height, width);
  const farthest = epsilon.reshape<tf.Tensor2D>([-1, 1]);
  const [right, down, turn] = tf
    .split(pose.maximum(farthest.neg()).minimum(farthest), 3, 1)
    .map((times, i) => times.mul(most[i] as number)) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  const [columns, rows] = gridOf(height, width);
  const [dx, dy] = [columns.sub(right).sub(centreX), rows.sub(down).sub(centreY)];
  const [cos, sin] = [turn.cos(), turn.sin()];
  const x = dx.mul(cos).add(dy.mul(sin)).add(centreX);
  const y = dy.mul(cos).sub(dx.mul(sin)).add(centreY);
  return tf.clipByValue(sample(clean, x, y), 0, 1) as tf.Tensor4D;
}

/** The column and the row of every pixel: [1, H·W] each. */
function gridOf(height: number, width: number): [columns: tf.Tensor2D, rows: tf.Tensor2D] {
  const pixels = Array.from({ length: height * width }, (_, i) => i);
  return [tf.tensor2d([pixels.map((i) => i % width)]), tf.tensor2d([pixels.map((i) => Math.floor(i / width))])];
}

/**
 * The images at the places x, y [B, H·W], linearly between pixels, black outside. By `gather`: of `tf.image.transform`, the
 * `cpu` backend sees to the first image of a batch alone.
 */
function sample(images: tf.Tensor4D, x: tf.Tensor, y: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = images.shape;
  // Within one black pixel all around, every place has four neighbours.
  const [tall, wide] = [height + 2, width + 2];
  const pixels = images
    .pad([
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ])
    .reshape([-1, channels]);
  const first = tf
    .range(0, batch, 1, 'int32')
    .mul(tf.scalar(tall * wide, 'int32'))
    .expandDims(1);
  const at = (row: tf.Tensor, column: tf.Tensor): tf.Tensor =>
    pixels.gather(first.add(row.mul(wide).add(column).toInt()) as tf.Tensor2D);
  const axis = (place: tf.Tensor, length: number) => {
    const within = place.add(1).clipByValue(0, length - 1);
    const before = within.floor();
    return { before, after: before.add(1).minimum(length - 1), share: within.sub(before).expandDims(2) };
  };
  const between = (before: tf.Tensor, after: tf.Tensor, share: tf.Tensor): tf.Tensor =>
    before.mul(tf.scalar(1).sub(share)).add(after.mul(share));
  const [column, row] = [axis(x, wide), axis(y, tall)];
  const along = (of: tf.Tensor): tf.Tensor => between(at(of, column.before), at(of, column.after), column.share);
  return between(along(row.before), along(row.after), row.share).reshape(images.shape);
}

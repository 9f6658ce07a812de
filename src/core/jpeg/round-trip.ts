/**
 * JPEG, there and back: what a decoder shows of what an encoder keeps, as libjpeg computes both (entropy coding loses
 * nothing and is left out).
 *
 * ITU-T T.81, 1992; colours as in JFIF, ITU-T T.871, section 7.
 */
import { tf } from '../../tf.ts';
import { interpolation, resample } from '../interpolation.ts';
import { edgesRepeated, multiple, quantisedBlocks } from './blocks.ts';
import { quantisation } from './quantisation.ts';

/** Whether colour is kept for every pixel, or once for each square of four. */
export const SUBSAMPLINGS = ['4:2:0', '4:4:4'] as const;

export interface JpegOptions {
  /** 1 to 100. */
  readonly quality: number;
  readonly subsampling: (typeof SUBSAMPLINGS)[number];
}

/** Whole numbers from 0 to 255, half-way upwards. */
const toBytes = (x: tf.Tensor): tf.Tensor4D => x.add(0.5).floor().clipByValue(0, 255) as tf.Tensor4D;

/** Images [B, H, W, C] in [0,1] as they come back; of one channel as grey, of three as colour. @throws Error of any other */
export function jpegRoundTrip(x: tf.Tensor4D, options: JpegOptions): tf.Tensor4D {
  const pixels = toBytes(x.mul(255));
  const channels = x.shape[3];
  if (channels === 1) return quantisedBlocks(pixels, quantisation('luminance', options.quality)).div(255);
  if (channels === 3) return colourRoundTrip(pixels, options).div(255);
  throw new Error(`JPEG keeps images of 1 or 3 channels, and these have ${channels}`);
}

function colourRoundTrip(pixels: tf.Tensor4D, { quality, subsampling }: JpegOptions): tf.Tensor4D {
  const [red, green, blue] = tf.split(pixels, 3, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const mix = (r: number, g: number, b: number, offset: number): tf.Tensor4D =>
    toBytes(red.mul(r).add(green.mul(g)).add(blue.mul(b)).add(offset));
  const luminance = quantisedBlocks(mix(0.299, 0.587, 0.114, 0), quantisation('luminance', quality));
  const chrominance = (plane: tf.Tensor4D): tf.Tensor4D => {
    const steps = quantisation('chrominance', quality);
    const kept = subsampling === '4:4:4' ? quantisedBlocks(plane, steps) : quantisedQuarter(plane, steps);
    return kept.sub(128);
  };
  const bluish = chrominance(mix(-0.168735892, -0.331264108, 0.5, 128));
  const reddish = chrominance(mix(0.5, -0.418687589, -0.081312411, 128));
  const shift = (b: number, r: number): tf.Tensor => bluish.mul(b).add(reddish.mul(r)).add(0.5).floor();
  const shifts = [shift(0, 1.402), shift(-0.344136286, -0.714136286), shift(1.772, 0)];
  return tf.concat(
    shifts.map((one) => toBytes(luminance.add(one))),
    3,
  );
}

/** The plane kept at half its height and width: squares of four averaged on the way in, interpolated on the way out. */
function quantisedQuarter(plane: tf.Tensor4D, steps: readonly number[]): tf.Tensor4D {
  const [, height, width] = plane.shape;
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  // Columns are repeated before they are averaged, rows but for one afterwards: so does libjpeg.
  const whole = edgesRepeated(plane, 2 * rows, 2 * multiple(columns, 8));
  const quarters = tf
    .avgPool(whole, 2, 2, 'valid')
    .add(alternating(whole.shape[2] / 2, 0.25, 0.5))
    .floor();
  const kept = quantisedBlocks(quarters as tf.Tensor4D, steps).slice([0, 0, 0, 0], [-1, rows, columns, -1]);
  return resample(kept, doubling(height, rows), doubling(width, columns))
    .add(alternating(width, 8 / 16, 7 / 16))
    .floor() as tf.Tensor4D;
}

/** Libjpeg's rounding, one way and the other in turn from column to column: [1, 1, length, 1]. */
const alternating = (length: number, even: number, odd: number): tf.Tensor4D =>
  tf.tensor4d(
    Array.from({ length }, (_, i) => (i % 2 === 0 ? even : odd)),
    [1, 1, length, 1],
  );

/** The matrix [1, onto, from] by which a line becomes twice as long, weights 3/4 and 1/4; of an odd line all but the end. */
function doubling(onto: number, from: number): tf.Tensor3D {
  const whole = { size: tf.fill([1, 1, 1], 2 * from) as tf.Tensor3D, offset: tf.zeros([1, 1, 1]) as tf.Tensor3D };
  return interpolation({ from, onto: 2 * from, ...whole }).slice([0, 0, 0], [-1, onto, -1]);
}

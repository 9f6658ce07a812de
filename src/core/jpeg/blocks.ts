/** A plane of an image as a JPEG file keeps it: cut into blocks of 8 × 8, their cosine transforms quantised. */
import { tf } from '../../tf.ts';

const SIDE = 8;
const ENTRIES = SIDE * SIDE;

/** ITU-T T.81, A.3.3: how much of frequency (v, u) is in the pixel (y, x) of a block. */
function cosine(v: number, u: number, y: number, x: number): number {
  const norm = (frequency: number): number => (frequency === 0 ? Math.SQRT1_2 : 1);
  const wave = (frequency: number, place: number): number =>
    Math.cos(((2 * place + 1) * frequency * Math.PI) / (2 * SIDE));
  return (norm(v) * norm(u) * wave(v, y) * wave(u, x)) / 4;
}

/** [pixels, frequencies], both row by row: orthonormal. */
const BASIS = Float32Array.from({ length: ENTRIES * ENTRIES }, (_, i) => {
  const [pixel, frequency] = [Math.floor(i / ENTRIES), i % ENTRIES];
  const split = (n: number): [number, number] => [Math.floor(n / SIDE), n % SIDE];
  return cosine(...split(frequency), ...split(pixel));
});

/** The nearest whole number; half-way, the one farther from 0. */
const nearest = (x: tf.Tensor4D): tf.Tensor4D => x.abs().add(0.5).floor().mul(x.sign());

/** The same plane [B, H, W, 1], its last row and column repeated until it is `height` × `width`. */
export function edgesRepeated(plane: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  const clamped = (onto: number, from: number): tf.Tensor1D =>
    tf.tensor1d(
      Array.from({ length: onto }, (_, i) => Math.min(i, from - 1)),
      'int32',
    );
  const taller = height === plane.shape[1] ? plane : tf.gather(plane, clamped(height, plane.shape[1]), 1);
  return width === plane.shape[2] ? taller : tf.gather(taller, clamped(width, plane.shape[2]), 2);
}

/** The smallest multiple of `of` that is not below. */
export const multiple = (length: number, of: number): number => of * Math.ceil(length / of);

/**
 * What a decoder makes of what an encoder keeps of a plane [B, H, W, 1] of whole numbers from 0 to 255.
 *
 * @param steps - of quantisation, of the 64 frequencies row by row
 */
export function quantisedBlocks(plane: tf.Tensor4D, steps: readonly number[]): tf.Tensor4D {
  const [, height, width] = plane.shape;
  const whole = edgesRepeated(plane, multiple(height, SIDE), multiple(width, SIDE));
  const basis = tf.tensor2d(BASIS, [ENTRIES, ENTRIES]);
  const table = tf.tensor1d([...steps]);
  const forwards = basis.reshape<tf.Tensor4D>([SIDE, SIDE, 1, ENTRIES]);
  const coefficients = tf.conv2d(whole.sub<tf.Tensor4D>(128), forwards, SIDE, 'valid');
  const kept = nearest(coefficients.div(table)).mul<tf.Tensor4D>(table);
  const backwards = basis.transpose().reshape<tf.Tensor4D>([1, 1, ENTRIES, ENTRIES]);
  const pixels = tf.depthToSpace(tf.conv2d(kept, backwards, 1, 'valid'), SIDE);
  const bytes = pixels.add(128.5).floor().clipByValue(0, 255) as tf.Tensor4D;
  return bytes.slice([0, 0, 0, 0], [-1, height, width, -1]);
}

/** Random batches of images for property tests, on the `cpu` backend. */
import fc from 'fast-check';
import type { Noise } from '../../src/core/ball.ts';
import { type Distribution, fillNoise } from '../../src/core/rng.ts';
import { NORMS } from '../../src/core/threat-model.ts';
import { tf } from '../../src/tf.ts';

export type Shape4D = [images: number, height: number, width: number, channels: number];

export const anyNorm = fc.constantFrom(...NORMS);
export const anySeed = fc.integer({ min: 0, max: 2 ** 31 });
export const anyShape = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 2, max: 4 }),
  fc.constantFrom(1, 3),
) as fc.Arbitrary<Shape4D>;

/** Radii from nothing and next to nothing to more than the box holds. */
export const anyEpsilon = fc.oneof(
  fc.constantFrom(0, 1e-6, 8 / 255, 1),
  fc.double({ min: 1e-4, max: 12, noNaN: true }),
);

/** Draws for every image under its own key, as the harness makes them. */
export function seededNoise(images: number, seed: number, firstImage = 0): Noise {
  let draw = 0;
  return (shape, distribution) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(images * size);
    for (let row = 0; row < images; row++) {
      const key = { seed, image: firstImage + row, restart: 0, step: 0, draw };
      fillNoise(values.subarray(row * size, (row + 1) * size), key, distribution);
    }
    draw += 1;
    return tf.tensor(values, [images, ...shape]);
  };
}

export function randomTensor(shape: Shape4D, seed: number, distribution: Distribution): tf.Tensor4D {
  return seededNoise(shape[0], seed)(shape.slice(1), distribution) as tf.Tensor4D;
}

/** Images in [0,1] of which about half of the pixels are exactly black or white. */
export const randomImages = (shape: Shape4D, seed: number): tf.Tensor4D =>
  tf.clipByValue(randomTensor(shape, seed, 'uniform').mul(2).sub(0.5) as tf.Tensor4D, 0, 1);

export const radii = (images: number, epsilon: number): tf.Tensor4D => tf.fill([images, 1, 1, 1], epsilon);

/** The values of every image. */
export function rows(x: tf.Tensor): Float32Array[] {
  const values = x.dataSync() as Float32Array;
  const [images] = x.shape as [number];
  const size = values.length / images;
  return Array.from({ length: images }, (_, i) => values.slice(i * size, (i + 1) * size));
}

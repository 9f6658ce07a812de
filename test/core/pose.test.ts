import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { mostOf, type Pose, render } from '../../src/core/pose.ts';
import { moved } from '../../src/evaluate/pool/moved.ts';
import { tf } from '../../src/tf.ts';
import { randomValues } from '../evaluate/fixtures.ts';
import { minus, normOf } from './reference.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Shape = readonly [height: number, width: number, channels: number];

const imageOf = ([height, width, channels]: Shape, seed = 1): Float32Array =>
  randomValues(height * width * channels, seed, 'uniform');

/** Several images of one shape, each in its own pose. */
function rendered(
  shape: Shape,
  images: readonly Float32Array[],
  poses: readonly Pose[],
  epsilon: number,
): Float32Array[] {
  const values = tf.tidy(() => {
    const clean = tf.stack(images.map((image) => tf.tensor3d(image.slice(), [...shape]))) as tf.Tensor4D;
    const pose = tf.tensor2d(poses.map((one) => [...one]));
    return render(clean, pose, tf.fill([images.length, 1, 1, 1], epsilon) as tf.Tensor4D).dataSync();
  });
  const size = values.length / images.length;
  return images.map((_, i) => values.slice(i * size, (i + 1) * size) as Float32Array);
}

describe('an image in a pose', () => {
  it('is itself, to the last bit, where it is not moved', () => {
    const shape = [7, 6, 3] as const;
    const image = imageOf(shape);
    expect(rendered(shape, [image], [[0, 0, 0]], 1)).toEqual([image]);
    expect(rendered(shape, [image], [[1, -1, 1]], 0)).toEqual([image]);
  });

  it('is shifted by three pixels of 28, and black comes in from outside', () => {
    const shape = [28, 28, 1] as const;
    const image = imageOf(shape);
    const at = (row: number, column: number): number =>
      row < 0 || row > 27 || column < 0 || column > 27 ? 0 : (image[28 * row + column] as number);
    const shifted = image.map((_, i) => at(Math.floor(i / 28) + 3, (i % 28) - 3));
    expect(rendered(shape, [image], [[1, -1, 0]], 1)).toEqual([shifted]);
  });

  it('is turned clockwise about its centre: three times the most is a quarter', () => {
    const shape = [5, 5, 2] as const;
    const image = imageOf(shape);
    const turned = image.map((_, i) => {
      const [row, column, channel] = [Math.floor(i / 10), Math.floor(i / 2) % 5, i % 2];
      // What is on top comes to the right.
      return image[10 * (4 - column) + 2 * row + channel] as number;
    });
    const [found] = rendered(shape, [image], [[0, 0, 3]], 3);
    expect(normOf('Linf', minus(found as Float32Array, turned))).toBeLessThan(1e-5);
  });

  it('may go three pixels of 28 or 32, 24 of 224, and 30 degrees either way', () => {
    const sides = [28, 32, 224].map((side) => mostOf(side, side));
    expect(sides.map(([right, down]) => [right, down])).toEqual([
      [3, 3],
      [3, 3],
      [24, 24],
    ]);
    expect(sides[0]?.[2]).toBeCloseTo(Math.PI / 6, 12);
    expect(mostOf(28, 56).slice(0, 2)).toEqual([6, 3]);
  });

  it('goes no farther than the radius', () => {
    const shape = [12, 9, 1] as const;
    const image = imageOf(shape);
    expect(rendered(shape, [image], [[5, -5, 5]], 0.4)).toEqual(rendered(shape, [image], [[0.4, -0.4, 0.4]], 0.4));
  });

  it('is what float64 makes of it, for every image of a batch and its own pose', () => {
    const shares = fc.double({ min: -2, max: 2, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3 })),
        fc.array(fc.tuple(shares, shares, shares), { minLength: 1, maxLength: 3 }),
        fc.integer(),
        (shape, poses, seed) => {
          const images = poses.map((_, i) => imageOf(shape, seed + i));
          rendered(shape, images, poses, 2).forEach((found, i) => {
            const expected = moved(images[i] as Float32Array, shape, poses[i] as Pose);
            expect(normOf('Linf', minus(found, expected))).toBeLessThan(1e-4);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

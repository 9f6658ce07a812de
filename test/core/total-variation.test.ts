import { beforeAll, describe, expect, it } from 'vitest';
import { smoothed } from '../../src/core/total-variation.ts';
import { tf } from '../../src/tf.ts';
import { scene } from '../defenses/pictures.ts';
import { randomValues } from '../evaluate/fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const SHAPE = [6, 5, 1] as const;
const [HEIGHT, WIDTH] = SHAPE;
const picture = scene(SHAPE, 4);
const known = randomValues(HEIGHT * WIDTH, 6, 'uniform').map((value) => (value < 0.6 ? 1 : 0));

/** ½·Σ known·(u - x)² + λ·Σ |∇u| in float64. */
function objective(u: ArrayLike<number>, weight: number, mask: ArrayLike<number> = known): number {
  const value = (row: number, column: number): number => u[row * WIDTH + column] as number;
  let sum = 0;
  for (let row = 0; row < HEIGHT; row++) {
    for (let column = 0; column < WIDTH; column++) {
      const i = row * WIDTH + column;
      const down = row + 1 < HEIGHT ? value(row + 1, column) - value(row, column) : 0;
      const right = column + 1 < WIDTH ? value(row, column + 1) - value(row, column) : 0;
      sum +=
        0.5 * (mask[i] as number) * ((u[i] as number) - (picture[i] as number)) ** 2 + weight * Math.hypot(down, right);
    }
  }
  return sum;
}

function solve(weight: number, iterations: number, mask = known): Float32Array {
  return tf.tidy(() =>
    smoothed(tf.tensor4d(picture, [1, ...SHAPE]), tf.tensor4d(mask, [1, ...SHAPE]), { weight, iterations }).dataSync(),
  ) as Float32Array;
}

describe('total variation minimisation', () => {
  it.each([0.03, 0.2])('with λ = %d ends where no small change lowers the objective', (weight) => {
    const found = solve(weight, 400);
    const reached = objective(found, weight);
    for (let seed = 0; seed < 300; seed++) {
      const [direction, size] = [randomValues(HEIGHT * WIDTH, seed), 10 ** -(1 + (seed % 3))];
      // Single pixels, whole smooth patches, and everything at once.
      const chosen = (i: number): number => (seed % 2 === 0 || i % (1 + seed) === 0 ? 1 : 0);
      const moved = found.map((value, i) => value + size * chosen(i) * (direction[i] as number));
      expect(objective(moved, weight)).toBeGreaterThan(reached - 1e-4);
    }
    expect(reached).toBeLessThan(0.8 * objective(picture, weight));
  });

  it('moves the halves of a step towards each other by λ over their width, as the theory has it', () => {
    const [rows, half, weight] = [4, 5, 0.3];
    const step = Float32Array.from({ length: rows * 2 * half }, (_, i) => (i % (2 * half) < half ? 0.2 : 0.9));
    const found = tf.tidy(() => {
      const x = tf.tensor4d(step, [1, rows, 2 * half, 1]);
      return smoothed(x, tf.onesLike(x), { weight, iterations: 400 }).dataSync();
    });
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(i % (2 * half) < half ? 0.2 + weight / half : 0.9 - weight / half, 2);
    });
  });

  it('is close after the steps that are the default', () => {
    const least = objective(solve(0.03, 400), 0.03);
    const [far, left] = [objective(picture, 0.03) - least, objective(solve(0.03, 12), 0.03) - least];
    expect(left).toBeLessThan(0.2 * far);
  });

  it('looks at no pixel that is not known', () => {
    const other = picture.map((value, i) => (known[i] === 1 ? value : 1 - value));
    const of = (image: Float32Array): Float32Array =>
      tf.tidy(() =>
        smoothed(tf.tensor4d(image, [1, ...SHAPE]), tf.tensor4d(known, [1, ...SHAPE]), {
          ...{ weight: 0.03, iterations: 12 },
        }).dataSync(),
      ) as Float32Array;
    expect(of(other)).toEqual(of(picture));
  });

  it('without weight leaves an image that is known whole as it is', () => {
    const everything = new Float32Array(HEIGHT * WIDTH).fill(1);
    solve(0, 12, everything).forEach((value, i) => {
      expect(value).toBeCloseTo(picture[i] as number, 6);
    });
  });

  it('has a finite gradient, also where neighbours are alike', () => {
    const gradient = tf.tidy(() =>
      tf
        .grad((x) =>
          smoothed(x as tf.Tensor4D, tf.onesLike(x) as tf.Tensor4D, { weight: 0.03, iterations: 4 })
            .square()
            .sum(),
        )(tf.fill([1, ...SHAPE], 0.5))
        .dataSync(),
    );
    expect(gradient.every(Number.isFinite)).toBe(true);
    expect(gradient.some((entry) => entry !== 0)).toBe(true);
  });
});

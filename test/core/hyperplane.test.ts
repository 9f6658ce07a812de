import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { toHyperplane } from '../../src/core/hyperplane.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { tf } from '../../src/tf.ts';
import { anyNorm, anySeed, anyShape, randomImages, randomTensor, rows } from './batches.ts';
import { dual, inner, minus, normOf } from './reference.ts';

const at = (values: ArrayLike<number>, i: number): number => values[i] as number;

/** A plane for every image: weights over several orders of magnitude, some of them zero, and values of either sign. */
const anyCase = fc.record({
  norm: anyNorm,
  shape: anyShape,
  seed: anySeed,
  power: fc.constantFrom(1, 3, 7),
  scale: fc.constantFrom(1e-12, 1, 1e9),
  /** How far the plane is, as a share of all that the box allows: beyond 1 it is out of reach. */
  reach: fc.oneof(
    fc.constantFrom(0, 1.5),
    fc.double({ min: 1e-6, max: 0.999, noNaN: true }),
    fc.double({ min: 1, max: 5, noNaN: true }).map((digits) => 1 - 10 ** -digits),
  ),
});
type Drawn = typeof anyCase extends fc.Arbitrary<infer T> ? T : never;

/** How far each pixel can go downhill or uphill. */
const roomsOf = (x: ArrayLike<number>, directions: readonly number[]): number[] =>
  directions.map((d, i) => (d > 0 ? 1 - at(x, i) : at(x, i)));

interface Plane {
  readonly x: Float32Array;
  readonly gradient: Float32Array;
  readonly value: number;
  /** Of every pixel: towards the plane. */
  readonly directions: readonly number[];
  readonly rooms: readonly number[];
}

function planes({ shape, seed, power, scale, reach }: Drawn): Plane[] {
  const images = rows(randomImages(shape, seed));
  const draws = rows(randomTensor(shape, seed + 1, 'normal'));
  return images.map((x, i) => {
    const gradient = (draws[i] as Float32Array).map((v, j) =>
      j % 5 === 4 ? 0 : scale * Math.sign(v) * Math.abs(v) ** power,
    );
    const sign = i % 2 === 0 ? 1 : -1;
    const directions = Array.from(gradient, (w) => -sign * Math.sign(w));
    const rooms = roomsOf(x, directions);
    const most = inner(gradient.map(Math.abs), rooms);
    return { x, gradient, value: Math.fround(sign * reach * most), directions, rooms };
  });
}

const stepsOf = (drawn: Drawn, given: readonly Plane[]): Float32Array[] => {
  const { norm, shape } = drawn;
  const tensor = (of: (plane: Plane) => Float32Array): tf.Tensor4D =>
    tf.tensor4d(
      given.flatMap((plane) => [...of(plane)]),
      shape,
    );
  const value = tf.tensor4d(
    given.map((plane) => plane.value),
    [given.length, 1, 1, 1],
  );
  return rows(
    toHyperplane(
      norm,
      tensor(({ x }) => x),
      { value, gradient: tensor(({ gradient }) => gradient) },
    ),
  );
};

/** The least norm of a way to the plane, in float64, by bisection on the length allowed: what can be gained within it? */
function leastNorm(norm: Norm, { gradient, value, rooms }: Plane): number {
  const weights = Array.from(gradient, Math.abs);
  const need = Math.abs(value);
  const bisect = (fits: (length: number) => boolean): number => {
    let [low, high] = [0, 1];
    while (!fits(high) && high < 1e30) high *= 2;
    for (let i = 0; i < 200; i++)
      [low, high] = fits((low + high) / 2) ? [low, (low + high) / 2] : [(low + high) / 2, high];
    return high;
  };
  const moved = (t: number): number[] =>
    rooms.map((room, i) => Math.min(room, norm === 'L2' ? (t * at(weights, i)) / Math.max(...weights) : t));
  if (norm !== 'L1') return normOf(norm, moved(bisect((t) => inner(weights, moved(t)) >= need)));
  // In L1 a knapsack whose items can be cut: the dearest first.
  let left = need;
  return [...weights.keys()]
    .sort((i, j) => at(weights, j) - at(weights, i))
    .reduce((length, i) => {
      if (left <= 0) return length;
      const step = Math.min(at(rooms, i), left / at(weights, i));
      left -= step * at(weights, i);
      return length + step;
    }, 0);
}

const everyPlane = (
  check: (given: { norm: Norm; plane: Plane; step: Float32Array; reach: number }) => void,
  arbitrary: fc.Arbitrary<Drawn> = anyCase,
): void =>
  fc.assert(
    fc.property(arbitrary, (drawn) => {
      tf.tidy(() => {
        const given = planes(drawn);
        stepsOf(drawn, given).forEach((step, i) => {
          check({ norm: drawn.norm, plane: given[i] as Plane, step, reach: drawn.reach });
        });
      });
    }),
    { numRuns: 150 },
  );

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('the shortest way to a hyperplane', () => {
  it('ends on it, where the box allows it', () => {
    everyPlane(({ plane, step, reach }) => {
      if (reach > 1) return;
      const missed = plane.value + inner(plane.gradient, step);
      const size = inner(plane.gradient.map(Math.abs), plane.rooms);
      expect(Math.abs(missed)).toBeLessThanOrEqual(2e-6 * size);
    });
  });

  it('ends in the nearest corner, where the box ends before it', () => {
    everyPlane(
      ({ plane: { directions, rooms }, step }) => {
        step.forEach((d, i) => {
          expect(Math.abs(d - at(directions, i) * at(rooms, i))).toBeLessThan(1e-6);
        });
      },
      anyCase.map((drawn) => ({ ...drawn, reach: 1.5, power: 1 })),
    );
  });

  it('stays in the box', () => {
    everyPlane(({ plane: { x }, step }) => {
      step.forEach((d, i) => {
        expect(at(x, i) + d).toBeGreaterThan(-1e-6);
        expect(at(x, i) + d).toBeLessThan(1 + 1e-6);
      });
    });
  });

  it('is as short as float64 can make it', () => {
    everyPlane(({ norm, plane, step, reach }) => {
      if (reach > 1) return;
      // As short as to a plane that is farther by float32's share of all that the box allows.
      const farther = Math.abs(plane.value) + 2e-6 * inner(plane.gradient.map(Math.abs), plane.rooms);
      const least = leastNorm(norm, { ...plane, value: farther });
      expect(normOf(norm, step)).toBeLessThanOrEqual(least * (1 + 1e-5) + 1e-6);
    });
  });

  it('is no longer than any other way there', () => {
    fc.assert(
      fc.property(anyCase, anySeed, (drawn, seed) => {
        tf.tidy(() => {
          const given = planes({ ...drawn, reach: Math.min(drawn.reach, 0.9) });
          const others = rows(randomImages(drawn.shape, seed));
          stepsOf(drawn, given).forEach((step, i) => {
            const { x, gradient, value } = given[i] as Plane;
            const way = minus(others[i] as Float32Array, x);
            const gain = inner(gradient, way) / -value;
            // A random image beyond the plane; the way to it crosses the plane at this share of its length.
            if (!(gain >= 1)) return;
            expect(normOf(drawn.norm, step)).toBeLessThanOrEqual((normOf(drawn.norm, way) / gain) * (1 + 1e-5) + 1e-6);
          });
        });
      }),
      { numRuns: 150 },
    );
  });

  it.each(['Linf', 'L2', 'L1'] as const)('in %s is |f| / ‖w‖ in the dual norm, where no wall is near', (norm) => {
    const drawn: Drawn = { norm, shape: [3, 4, 4, 3], seed: 5, power: 1, scale: 1, reach: 0 };
    const given = planes(drawn).map((plane) => ({ ...plane, x: plane.x.map(() => 0.5), value: 0.125 }));
    stepsOf(drawn, given).forEach((step, i) => {
      const { gradient, value } = given[i] as Plane;
      expect(normOf(norm, step) / (value / normOf(dual[norm], gradient))).toBeCloseTo(1, 5);
    });
  });

  it('is no way at all on the plane, and without a gradient', () => {
    const x = randomImages([2, 3, 3, 1], 1);
    for (const norm of ['Linf', 'L2', 'L1'] as const) {
      const flat = toHyperplane(norm, x, { value: tf.ones([2, 1, 1, 1]), gradient: tf.zerosLike(x) });
      expect(flat.dataSync().every((d) => d === 0)).toBe(true);
      const there = toHyperplane(norm, x, {
        value: tf.zeros([2, 1, 1, 1]),
        gradient: randomTensor([2, 3, 3, 1], 2, 'normal'),
      });
      expect(there.dataSync().every((d) => d === 0)).toBe(true);
    }
  });

  it('is the same one compiled, on large images', async () => {
    const shape: [number, number, number, number] = [2, 64, 64, 3];
    for (const norm of ['Linf', 'L2', 'L1'] as const) {
      const drawn: Drawn = { norm, shape, seed: 3, power: 3, scale: 1, reach: 0.3 };
      const given = planes(drawn);
      const step = await compile(
        (x: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor) =>
          toHyperplane(norm, x as tf.Tensor4D, { value: value as tf.Tensor4D, gradient: gradient as tf.Tensor4D }),
        [{ shape }, { shape: [2, 1, 1, 1] }, { shape }],
      );
      const join = (of: (plane: Plane) => Float32Array) => Float32Array.from(given.flatMap((plane) => [...of(plane)]));
      const values = Float32Array.from(given, ({ value }) => value);
      const { data } = await step(
        join(({ x }) => x),
        values,
        join(({ gradient }) => gradient),
      );
      await step.release();
      expect(
        normOf(
          'Linf',
          minus(
            data,
            stepsOf(drawn, given).flatMap((row) => [...row]),
          ),
        ),
      ).toBeLessThan(1e-5);
    }
  });
});

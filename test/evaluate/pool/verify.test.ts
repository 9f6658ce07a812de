import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ball } from '../../../src/core/ball.ts';
import { NORMS } from '../../../src/core/threat-model.ts';
import type { Judge } from '../../../src/evaluate/pool/engine.ts';
import { moved } from '../../../src/evaluate/pool/moved.ts';
import {
  argMax,
  distance,
  judgeAll,
  logitsReach,
  reaches,
  refusal,
  roundTo8Bits,
} from '../../../src/evaluate/pool/verify.ts';
import { tf } from '../../../src/tf.ts';
import { randomValues } from '../fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const UNTARGETED = { kind: 'untargeted' } as const;
const image = fc
  .array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 12 })
  .map((a) => Float32Array.from(a));

describe('verification', () => {
  it('accepts what the ball projects, in every norm, however far out it was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NORMS),
        fc.double({ min: 0.001, max: 5, noNaN: true }),
        fc.integer(),
        fc.double({ min: 0.1, max: 20, noNaN: true }),
        (norm, radius, seed, reach) => {
          const epsilon = norm === 'Linf' ? Math.min(radius, 1) : radius;
          const size = 6 * 7 * 3;
          const clean = randomValues(size, seed, 'uniform');
          const far = clean.map((value, i) => value + reach * ((randomValues(size, seed + 1)[i] as number) ?? 0));
          const projected = tf.tidy(() => {
            const tensor = (data: Float32Array) => tf.tensor4d(data.slice(), [1, 6, 7, 3]);
            const noise = () => tf.scalar(0);
            const here = ball(norm, { clean: tensor(clean), epsilon: tf.tensor4d([epsilon], [1, 1, 1, 1]), noise });
            return here.project(tensor(far)).dataSync().slice() as Float32Array;
          });
          expect(refusal({ x: projected }, clean, { norm, epsilon, input: [6, 7, 3] })).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses a point that is 1e-5 outside the ball, and none that is on its sphere', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NORMS), fc.double({ min: 0.01, max: 0.3, noNaN: true }), (norm, epsilon) => {
        const clean = new Float32Array(9).fill(0.5);
        const moved = (by: number) => clean.map((value, i) => (i === 4 ? value + by : value));
        expect(refusal({ x: moved(epsilon) }, clean, { norm, epsilon, input: [3, 3, 1] })).toBeUndefined();
        expect(refusal({ x: moved(epsilon + 1e-5) }, clean, { norm, epsilon, input: [3, 3, 1] })).toBe(
          'outside the ball',
        );
      }),
    );
  });

  it('refuses a moved image in any pose but its own, and a pose beyond the radius', () => {
    const input = [9, 9, 1] as const;
    const clean = randomValues(81, 3, 'uniform');
    const pose = [0.5, -0.3, 0.8] as const;
    const x = Float32Array.from(moved(clean, input, pose));
    const spatial = (epsilon: number) => ({ norm: 'spatial', epsilon, input }) as const;
    expect(refusal({ x, pose }, clean, spatial(0.8))).toBeUndefined();
    expect(refusal({ x, pose }, clean, spatial(0.79))).toBe('not in its pose');
    expect(refusal({ x, pose: [0.5, -0.3, 0.7] }, clean, spatial(0.8))).toBe('not in its pose');
    expect(refusal({ x }, clean, spatial(0.8))).toBe('not in its pose');
    expect(refusal({ x, pose: [Number.NaN, 0, 0] }, clean, spatial(0.8))).toBe('not in its pose');
    const rounded = x.map((value) => Math.round(value * 255) / 255);
    expect(refusal({ x: rounded, pose }, clean, spatial(0.8), 1 / 255)).toBeUndefined();
  });

  it('refuses what is no image', () => {
    const clean = Float32Array.of(0, 0.5, 1);
    expect(
      refusal({ x: Float32Array.of(0, Number.NaN, 1) }, clean, { norm: 'Linf', epsilon: 1, input: [1, 3, 1] }),
    ).toBe('not finite');
    expect(
      refusal({ x: Float32Array.of(0, Number.POSITIVE_INFINITY, 1) }, clean, {
        norm: 'Linf',
        epsilon: 1,
        input: [1, 3, 1],
      }),
    ).toBe('not finite');
    expect(refusal({ x: Float32Array.of(-1e-7, 0.5, 1) }, clean, { norm: 'Linf', epsilon: 1, input: [1, 3, 1] })).toBe(
      'outside the box',
    );
    expect(
      refusal({ x: Float32Array.of(0, 0.5, 1 + 1e-6) }, clean, { norm: 'Linf', epsilon: 1, input: [1, 3, 1] }),
    ).toBe('outside the box');
  });

  it('measures the distances of the three norms', () => {
    const [a, b] = [Float32Array.of(0, 0.5, 0.25), Float32Array.of(0.5, 0.5, 0.5)];
    expect(distance('Linf', a, b)).toBe(0.5);
    expect(distance('L2', a, b)).toBe(Math.hypot(0.5, 0.25));
    expect(distance('L1', a, b)).toBe(0.75);
  });

  it('rounds to multiples of 1/255, the nearest, and once is enough', () => {
    fc.assert(
      fc.property(image, (x) => {
        const rounded = roundTo8Bits(x);
        rounded.forEach((value, i) => {
          expect(Math.abs(value * 255 - Math.round(value * 255))).toBeLessThan(1e-4);
          expect(Math.abs(value - (x[i] as number))).toBeLessThanOrEqual(0.5 / 255 + 1e-7);
        });
        expect(roundTo8Bits(rounded)).toEqual(rounded);
      }),
    );
  });

  it('takes the first of equal logits, and lets NaN reach nothing', () => {
    expect(argMax(Float32Array.of(1, 3, 3))).toBe(1);
    expect(logitsReach(UNTARGETED, 1, Float32Array.of(5, 1))).toBe(true);
    expect(logitsReach(UNTARGETED, 1, Float32Array.of(5, Number.NaN))).toBe(false);
  });

  it('knows both goals', () => {
    expect([reaches(UNTARGETED, 2, 2), reaches(UNTARGETED, 2, 0)]).toEqual([false, true]);
    const targeted = { kind: 'targeted', target: 1 } as const;
    expect([reaches(targeted, 2, 0), reaches(targeted, 2, 1)]).toEqual([false, true]);
  });

  it('judges any number of images in whole batches, each on its own', async () => {
    const sizes: number[] = [];
    const judge: Judge = {
      batch: 4,
      classes: 2,
      logits: async (images) => {
        sizes.push(images.length);
        return images.map((value) => value * 2);
      },
      release: async () => undefined,
    };
    const images = Array.from({ length: 9 }, (_, i) => Float32Array.of(i, -i));
    expect(await judgeAll(judge, images)).toEqual(images.map((values) => values.map((value) => value * 2)));
    expect(sizes).toEqual([8, 8, 8]);
    expect(await judgeAll(judge, [])).toEqual([]);
  });
});

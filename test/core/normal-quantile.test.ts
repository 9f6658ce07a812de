import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalQuantile } from '../../src/core/normal-quantile.ts';

describe('the quantile of the standard normal', () => {
  /** To 15 digits, from tables of the error function. */
  it.each([
    [0.5, 0],
    [0.6, 0.2533471031357997],
    [0.75, 0.674489750196082],
    [0.9, 1.2815515655446],
    [0.95, 1.64485362695147],
    [0.975, 1.95996398454005],
    [0.99, 2.32634787404084],
    [0.999, 3.09023230616781],
    [0.9999, 3.71901648545568],
    [1 - 1e-6, 4.7534243088229],
    [1e-9, -5.99780701500769],
    [1e-20, -9.2623400897984],
  ])('at %d is %d', (p, z) => {
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(2e-10);
  });

  it('is the inverse of the distribution, whose density is integrated numerically', () => {
    const steps = 4000;
    const density = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
    // Simpson's rule from the median on.
    const distribution = (z: number): number => {
      const h = z / steps;
      let sum = density(0) + density(z);
      for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density(i * h);
      return 0.5 + (sum * h) / 3;
    };
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (p) => {
        expect(Math.abs(distribution(normalQuantile(p)) - p)).toBeLessThan(1e-12);
      }),
    );
  });

  it('is odd around the median, and rises', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 0.5, noNaN: true }), (p) => {
        const upper = 1 - p;
        expect(normalQuantile(upper) + normalQuantile(1 - upper)).toBe(0);
        expect(normalQuantile(p)).toBeLessThanOrEqual(normalQuantile(Math.min(1, p * 1.0001)));
      }),
    );
  });

  it('is infinite at the ends, and nothing beyond them', () => {
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    for (const p of [-0.1, 1.1, Number.NaN]) expect(() => normalQuantile(p)).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wilson95 } from '../../src/core/statistics.ts';

const counts = fc.integer({ min: 1, max: 100_000 }).chain((trials) => fc.tuple(fc.nat(trials), fc.constant(trials)));

describe('the Wilson interval', () => {
  it.each([
    [90, 100, 0.82563, 0.94477],
    [0, 100, 0, 0.03699],
    [100, 100, 0.96301, 1],
  ])('of %i in %i is %f to %f', (successes, trials, low, high) => {
    const interval = wilson95(successes, trials);
    expect(interval[0]).toBeCloseTo(low, 5);
    expect(interval[1]).toBeCloseTo(high, 5);
  });

  it('holds the observed share, inside [0,1], and has a width', () => {
    fc.assert(
      fc.property(counts, ([successes, trials]) => {
        const [low, high] = wilson95(successes, trials);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(successes / trials);
        expect(high).toBeGreaterThanOrEqual(successes / trials);
        expect(high - low).toBeGreaterThan(0);
      }),
    );
  });

  it('ends where the observed share lies 1.96 standard errors away', () => {
    fc.assert(
      fc.property(counts, ([successes, trials]) => {
        const share = successes / trials;
        for (const end of wilson95(successes, trials)) {
          // The score equation, whose two solutions the ends are.
          const score = (share - end) ** 2 - (1.959963984540054 ** 2 * end * (1 - end)) / trials;
          expect(Math.abs(score)).toBeLessThan(1e-12);
        }
      }),
    );
  });

  it('of the failures is its mirror image', () => {
    fc.assert(
      fc.property(counts, ([successes, trials]) => {
        const [low, high] = wilson95(successes, trials);
        const [mirrorLow, mirrorHigh] = wilson95(trials - successes, trials);
        expect(mirrorLow).toBeCloseTo(1 - high, 12);
        expect(mirrorHigh).toBeCloseTo(1 - low, 12);
      }),
    );
  });

  it('narrows with more trials', () => {
    fc.assert(
      fc.property(counts, ([successes, trials]) => {
        const width = ([low, high]: readonly [number, number]) => high - low;
        expect(width(wilson95(4 * successes, 4 * trials))).toBeLessThan(width(wilson95(successes, trials)));
      }),
    );
  });

  it.each([
    [0, 0],
    [-1, 10],
    [11, 10],
    [Number.NaN, 10],
  ])('of %d in %d does not exist', (successes, trials) => {
    expect(() => wilson95(successes, trials)).toThrow(RangeError);
  });
});

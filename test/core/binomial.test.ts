import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { upperTail } from '../../src/core/binomial.ts';
import { clopperPearsonLower, fairnessP } from '../../src/core/statistics.ts';

/** The chance as a fraction, so that sums over it are whole numbers: `numerator / 2^bits`. */
interface Chance {
  readonly numerator: number;
  readonly bits: number;
}

const decimal = ({ numerator, bits }: Chance): number => numerator / 2 ** bits;

/** P(X ≥ k) as a sum of whole numbers, of which nothing is lost; then divided to 60 digits. */
function exactTail(k: number, n: number, { numerator, bits }: Chance): number {
  const all = 1n << BigInt(bits);
  const [p, q] = [BigInt(numerator), all - BigInt(numerator)];
  let [choose, sum] = [1n, 0n];
  for (let j = n; j >= k; j--) {
    sum += choose * p ** BigInt(j) * q ** BigInt(n - j);
    choose = (choose * BigInt(j)) / BigInt(n - j + 1);
  }
  const scale = 10n ** 60n;
  return Number((sum * scale) / all ** BigInt(n)) / 1e60;
}

const trial = fc
  .record({ n: fc.integer({ min: 1, max: 160 }), bits: fc.integer({ min: 1, max: 12 }) })
  .chain(({ n, bits }) =>
    fc.record({
      n: fc.constant(n),
      k: fc.integer({ min: 0, max: n }),
      chance: fc.record({ numerator: fc.integer({ min: 0, max: 2 ** bits }), bits: fc.constant(bits) }),
    }),
  );

describe('the upper tail of the binomial distribution', () => {
  it('is the exact sum of its terms, to twelve digits', () => {
    fc.assert(
      fc.property(trial, ({ n, k, chance }) => {
        const exact = exactTail(k, n, chance);
        if (exact < 1e-40) return;
        expect(Math.abs(upperTail(k, n, decimal(chance)) / exact - 1)).toBeLessThan(1e-12);
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    [990, 1000, { numerator: 251, bits: 8 }],
    [1100, 2000, { numerator: 1, bits: 1 }],
    [1999, 2000, { numerator: 1023, bits: 10 }],
    [3, 2000, { numerator: 1, bits: 12 }],
  ])('is so for %i of %i too', (k, n, chance) => {
    expect(Math.abs(upperTail(k, n, decimal(chance)) / exactTail(k, n, chance) - 1)).toBeLessThan(1e-12);
  });

  it('and that of the complement are one', () => {
    const large = fc
      .integer({ min: 1, max: 100_000 })
      .chain((n) => fc.tuple(fc.integer({ min: 1, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(large, fc.double({ min: 0, max: 1, noNaN: true }), ([k, n], p) => {
        expect(upperTail(k, n, p) + upperTail(n - k + 1, n, 1 - p)).toBeCloseTo(1, 10);
      }),
    );
  });

  it.each([
    [1, 0, 0.5],
    [2, 1, 0.5],
    [-1, 1, 0.5],
    [0.5, 1, 0.5],
    [1, 2, 1.5],
    [1, 2, Number.NaN],
  ])('refuses %d of %d at %d', (k, n, p) => {
    expect(() => upperTail(k, n, p)).toThrow(RangeError);
  });
});

describe('the lower bound of Clopper and Pearson', () => {
  it('exceeds the true chance in no more than α of all samples, whatever the chance: the sum over samples is exact', () => {
    const chances = fc.integer({ min: 1, max: 15 }).map((numerator) => ({ numerator, bits: 4 }));
    const alphas = fc.double({ min: 1e-4, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), chances, alphas, (n, chance, alpha) => {
        const p = decimal(chance);
        // It grows with the successes, so it exceeds the chance from some number on.
        const first = Array.from({ length: n + 1 }, (_, k) => k).find((k) => clopperPearsonLower(k, n, alpha) > p);
        if (first === undefined) return;
        expect(exactTail(first, n, chance)).toBeLessThanOrEqual(alpha * (1 + 1e-9));
      }),
    );
  });

  it('is no lower than that needs: at the bound itself, so many successes are as unlikely as α', () => {
    const large = fc
      .integer({ min: 1, max: 100_000 })
      .chain((n) => fc.tuple(fc.integer({ min: 1, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(large, fc.double({ min: 1e-6, max: 0.5, noNaN: true }), ([k, n], alpha) => {
        const tail = upperTail(k, n, clopperPearsonLower(k, n, alpha));
        expect(tail).toBeLessThanOrEqual(alpha);
        expect(tail / alpha).toBeGreaterThan(1 - 1e-6);
      }),
    );
  });

  it('of all is the n-th root of α, of none 0', () => {
    for (const n of [1, 10, 1000, 100_000]) {
      expect(clopperPearsonLower(n, n, 0.001)).toBeCloseTo(0.001 ** (1 / n), 14);
      expect(clopperPearsonLower(0, n, 0.001)).toBe(0);
    }
  });

  it.each([0, 1, -0.1, Number.NaN])('refuses to err with probability %d', (alpha) => {
    expect(() => clopperPearsonLower(1, 2, alpha)).toThrow(/no probability of error/);
  });
});

describe('the test of a fair coin', () => {
  it('is two-sided and exact', () => {
    expect(fairnessP(5, 5)).toBe(1);
    expect(fairnessP(10, 0)).toBeCloseTo(2 / 1024, 15);
    expect(fairnessP(0, 10)).toBeCloseTo(2 / 1024, 15);
    expect(fairnessP(8, 2)).toBeCloseTo((2 * (45 + 10 + 1)) / 1024, 14);
  });
});

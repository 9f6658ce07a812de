import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signTest } from '../../bench/sweep/sign-test.ts';

describe('the sign test', () => {
  it('is the tail of tossing coins', () => {
    expect(signTest(0, 0)).toBe(1);
    expect(signTest(3, 3)).toBeCloseTo(1 / 8, 12);
    expect(signTest(8, 10)).toBeCloseTo(56 / 1024, 12);
  });

  it('shares all there is between so many or more of one side, and more of the other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.nat(3000), (one, other) => {
        const trials = one + other;
        const more = other + 1 > trials ? 0 : signTest(other + 1, trials);
        expect(signTest(one, trials) + more).toBeCloseTo(1, 9);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses more successes than trials', () => {
    expect(() => signTest(3, 2)).toThrow(/3 of 2/);
  });
});

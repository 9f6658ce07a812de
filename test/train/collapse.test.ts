import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alarm, collapse, isSafest } from '../../src/train/collapse.ts';

/** Checks of a network that under several steps has these accuracies, and the same under one. */
const seen = (...manySteps: readonly number[]) => manySteps.map((share) => ({ oneStep: share, manySteps: share }));

const IMAGES = 128;

describe('the guard against catastrophic overfitting', () => {
  it('is alarmed by a fall of more than 20 points below the best that it has seen', () => {
    expect(alarm(seen(0.3, 0.7, 0.49), IMAGES)).toEqual({ why: 'fall', from: 0.7, to: 0.49 });
    expect(alarm(seen(0.3, 0.7, 0.51), IMAGES)).toBeUndefined();
    expect(alarm(seen(0.7, 0.65, 0.6, 0.55, 0.45), IMAGES)?.why).toBe('fall');
  });

  it('is alarmed where nine in ten of what withstands one step falls to several, though nothing was robust before', () => {
    const found = alarm([...seen(0.1), { oneStep: 0.95, manySteps: 0.02 }], IMAGES);
    expect(found).toEqual({ why: 'gap', from: 0.95, to: 0.02 });
    expect(alarm([{ oneStep: 0.95, manySteps: 0.1 }], IMAGES)).toBeUndefined();
    // One that has learned nothing yet withstands nothing either.
    expect(alarm([{ oneStep: 0.3, manySteps: 0 }], IMAGES)).toBeUndefined();
  });

  it('waits for the next check, unless there is none', () => {
    expect(collapse(seen(0.7, 0.1), IMAGES, false)).toBeUndefined();
    expect(collapse(seen(0.7, 0.1), IMAGES, true)).toEqual({ why: 'fall', from: 0.7, to: 0.1 });
    expect(collapse(seen(0.7, 0.1, 0.2), IMAGES, false)).toEqual({ why: 'fall', from: 0.7, to: 0.2 });
    expect(collapse(seen(0.7, 0.1, 0.6), IMAGES, false)).toBeUndefined();
  });

  it('takes for chance what may be chance on few images', () => {
    expect(alarm(seen(0.75, 0.5), 4)).toBeUndefined();
    expect(alarm(seen(0.75, 0), 4)?.why).toBe('fall');
  });

  it('is never alarmed by a network that only gets better, however far one step is from several within reason', () => {
    const rising = fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 })
      .map((shares) => shares.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(rising, fc.integer({ min: 1, max: 500 }), fc.boolean(), (shares, images, isLast) => {
        const checks = shares.map((manySteps) => ({ oneStep: Math.min(1, 9 * manySteps), manySteps }));
        expect(collapse(checks, images, isLast)).toBeUndefined();
      }),
    );
  });

  it('knows the state that was most robust, the first of equals', () => {
    expect([seen(0), seen(0.2, 0.3), seen(0.3, 0.3), seen(0.5, 0.4)].map(isSafest)).toEqual([true, true, false, false]);
  });
});

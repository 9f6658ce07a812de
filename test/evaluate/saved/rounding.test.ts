import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NORMS } from '../../../src/core/threat-model.ts';
import { distance } from '../../../src/evaluate/pool/verify.ts';
import { ROUND } from '../../../src/evaluate/saved/rounding.ts';

const pixel = fc.float({ min: 0, max: 1, noNaN: true });
const level = fc.integer({ min: 0, max: 255 }).map((k) => Math.fround(k / 255));
const isOnGrid = (value: number): boolean => Math.fround(Math.round(value * 255) / 255) === value;

describe('rounding inward', () => {
  it('never leads away from a clean image of 8 bits, in any pixel or norm, to the last bit', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(pixel, level), { minLength: 1, maxLength: 20 }), (pairs) => {
        const [x, clean] = [0, 1].map((i) => Float32Array.from(pairs, (pair) => pair[i as 0 | 1]));
        if (x === undefined || clean === undefined) throw new Error('no pixels');
        const rounded = ROUND.inward(x, clean);
        for (const [i, value] of rounded.entries()) {
          const [from, to] = [clean[i] as number, x[i] as number];
          expect(isOnGrid(value)).toBe(true);
          expect(value).toBeGreaterThanOrEqual(Math.min(from, to));
          expect(value).toBeLessThanOrEqual(Math.max(from, to));
          expect(Math.abs(to - value)).toBeLessThan(1 / 255 + 1e-6);
        }
        for (const norm of NORMS) expect(distance(norm, rounded, clean)).toBeLessThanOrEqual(distance(norm, x, clean));
      }),
    );
  });

  it('leaves what is on a level where it is, whatever the clean image', () => {
    fc.assert(
      fc.property(level, level, (x, clean) => {
        expect(ROUND.inward(Float32Array.of(x), Float32Array.of(clean))).toEqual(Float32Array.of(x));
      }),
    );
  });

  it('goes to a level of the box, and nearest the clean pixel where none lies between it and the adversarial one', () => {
    const grey = (k: number): number => Math.fround(k / 255);
    expect([...ROUND.inward(Float32Array.of(grey(10.4)), Float32Array.of(grey(10.2)))]).toEqual([grey(10)]);
    expect([...ROUND.inward(Float32Array.of(grey(10.6)), Float32Array.of(grey(10.9)))]).toEqual([grey(11)]);
    fc.assert(
      fc.property(pixel, pixel, (x, clean) => {
        const [value = Number.NaN] = ROUND.inward(Float32Array.of(x), Float32Array.of(clean));
        expect(isOnGrid(value) && value >= 0 && value <= 1).toBe(true);
      }),
    );
  });

  it('differs from rounding to the nearest level, which may leave the ball', () => {
    const [x, clean] = [Float32Array.of(100.6 / 255), Float32Array.of(100 / 255)];
    expect(distance('Linf', ROUND.nearest(x, clean), clean)).toBeGreaterThan(distance('Linf', x, clean));
    expect(distance('Linf', ROUND.inward(x, clean), clean)).toBe(0);
  });
});

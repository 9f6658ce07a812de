import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allFinite } from '../../src/core/all-finite.ts';

const strange = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

test('all values are finite exactly if each of them is, wherever one that is not may stand', () => {
  fc.assert(
    fc.property(fc.float32Array({ maxLength: 23 }), (values) => {
      expect(allFinite(values)).toBe(values.every(Number.isFinite));
    }),
  );
  fc.assert(
    fc.property(
      fc.float32Array({ minLength: 1, maxLength: 23, noNaN: true }),
      fc.nat(),
      strange,
      (values, at, value) => {
        values[at % values.length] = value;
        expect(allFinite(values)).toBe(false);
      },
    ),
  );
  expect(allFinite(Float32Array.of(3.4e38, -3.4e38, 1e-45, -0, 3.4e38))).toBe(true);
});

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textOf } from '../../src/compile/text.ts';

/** Few of each kind, so that equal ones are common; text that looks like something else among them. */
const leaf = fc.constantFrom<unknown>(
  ...[0, -0, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1n],
  ...['', '1', 'NaN', 'null', ',', '"'],
  ...[true, false, null, undefined],
);
const value = fc.oneof(
  leaf,
  fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), { maxLength: 2 }),
  fc.record({ a: leaf }, { noNullPrototype: true }),
);

describe('a value as text', () => {
  it('is the same for the same values, and for no others', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(textOf(a) === textOf(b), `${textOf(a)} and ${textOf(b)}`).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

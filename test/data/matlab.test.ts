import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { readMatlab } from '../../src/data/matlab.ts';
import { matlabFile, structures } from './matlab-writer.ts';

/** By `scipy.io.savemat(..., do_compression=True)` of SciPy 1.17: two synsets, a number, and a cell array. */
const SCIPY = Buffer.from(
  'TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFR1ZSBOb3YgMjQgMTE6NDU6NTcgMjAyNgAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAApwAAAHic42NgYOBgYmBgA9FADGSCASsSnxGK2YG4uDKvOLWk' +
    'GCjPwsAHFdcCYk+f4LAgZyMDQ6N4TxeGcD8gAQfJGZk5KUWpeQxIAKTXggFhLxuavYxIGAQ4oeIQ8MEepN8BST8LFv2cSPoFoPw8AyNTQwMTU1Mk' +
    'dxgQcAcDmjsodr9HvwP57gcCQ3MTAyR3eCCZw4fFHGYkc3iAWAKJrwNlFAhCGABk/BW5DwAAACsAAAB4nONjYGBwAGI2IOaA0iDACuUzImF2IC5L' +
    'LSrOzM9j4ITKQ8APewBgEgTIDwAAAEIAAAB4nONjYGBYAcRsQMwBxIwMEMAK5TNBxRihYsmpOTnFQJoPiA2Q9LGg6WNEwiAgAGQlQvVZIOnjI6CP' +
    'B81dAPhMBEg=',
  'base64',
);

describe('a MATLAB file', () => {
  it('written by SciPy is read', () => {
    const variables = readMatlab(SCIPY, 'meta.mat');
    expect([...variables.keys()]).toEqual(['synsets', 'version', 'cells']);
    expect(variables.get('version')).toEqual({ kind: 'numbers', values: [1.5] });
    expect(variables.get('cells')).toEqual({ kind: 'other' });
    expect(variables.get('synsets')).toEqual({
      kind: 'records',
      records: [
        {
          ILSVRC2012_ID: { kind: 'numbers', values: [1] },
          WNID: { kind: 'text', text: 'n02510455' },
          children: { kind: 'numbers', values: [] },
        },
        {
          ILSVRC2012_ID: { kind: 'numbers', values: [1001] },
          WNID: { kind: 'text', text: 'n00001740' },
          children: { kind: 'numbers', values: [1, 300, 70_000] },
        },
      ],
    });
  });

  const whole = matlabFile(
    structures('list', [
      { id: 1, word: 'first' },
      { id: 2, word: 'zweites — ü' },
    ]),
  );

  it.each([false, true])('of structures is read, packed: %s', (packed) => {
    const list = structures('list', [{ id: 3.5, word: 'wörd' }]);
    expect(readMatlab(matlabFile(list, { packed }), 'x').get('list')).toEqual({
      kind: 'records',
      records: [{ id: { kind: 'numbers', values: [3.5] }, word: { kind: 'text', text: 'wörd' } }],
    });
  });

  it('that is cut short, or is another file, is refused by name', () => {
    for (let length = 0; length < whole.length; length += 7) {
      if (length === 128) continue;
      expect(() => readMatlab(whole.subarray(0, length), 'the/meta.mat'), `${length}`).toThrow(
        /^the\/meta\.mat is not a MATLAB 5 file that can be read: /,
      );
    }
    expect(() => readMatlab(Buffer.alloc(4000, 'x'), 'y')).toThrow(UserError);
  });

  it('unfolds into no more than is allowed, in one variable or in several', () => {
    const packed = (letters: number): Buffer =>
      matlabFile(structures('list', [{ word: 'x'.repeat(letters) }]), { packed: true });
    const half = packed(9 * 2 ** 20);
    expect(readMatlab(half, 'x').get('list')).toMatchObject({ kind: 'records' });
    for (const bomb of [Buffer.concat([half, half.subarray(128)]), packed(17 * 2 ** 20)]) {
      expect(bomb.length).toBeLessThan(2 ** 16);
      expect(() => readMatlab(bomb, 'meta.mat')).toThrow(/meta\.mat is not a MATLAB 5 file that can be read/);
    }
  });

  it('with any byte changed is read or refused, at once, and nothing else ever happens', () => {
    fc.assert(
      fc.property(fc.constantFrom(whole, SCIPY), fc.nat(4000), fc.nat(255), (file, place, value) => {
        const changed = Buffer.from(file);
        changed[place % changed.length] = value;
        try {
          readMatlab(changed, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 1500 },
    );
  });
});

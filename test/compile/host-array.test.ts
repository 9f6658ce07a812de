import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../src/compile/graph.ts';
import { copyAs, reverseArray, transposeArray, viewAs } from '../../src/compile/host-array.ts';
import { shape } from './arbitrary.ts';

const count = (s: readonly number[]): Float32Array => Float32Array.from({ length: sizeOf(s) }, (_, i) => i);

const shuffledAxes = (s: readonly number[]): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(
    s.map((_, i) => i),
    { minLength: s.length },
  );

describe('arrays rearranged while compiling', () => {
  it('come back by the inverse permutation', () => {
    fc.assert(
      fc.property(
        shape().chain((s) => fc.tuple(fc.constant(s), shuffledAxes(s))),
        ([s, permutation]) => {
          const turned = transposeArray(count(s), s, permutation);
          const shapeThen = permutation.map((axis) => s[axis] as number);
          const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
          expect(transposeArray(turned, shapeThen, inverse)).toEqual(count(s));
        },
      ),
    );
  });

  it('put the element at (i, j) to (j, i)', () => {
    expect(transposeArray(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3], [1, 0])).toEqual(Int32Array.of(1, 4, 2, 5, 3, 6));
  });

  it('come back when reversed twice', () => {
    fc.assert(
      fc.property(
        shape().chain((s) => fc.tuple(fc.constant(s), fc.subarray(s.map((_, i) => i)))),
        ([s, axes]) => {
          expect(reverseArray(reverseArray(count(s), s, axes), s, axes)).toEqual(count(s));
        },
      ),
    );
  });

  it('run backwards along the axes that were named', () => {
    expect(reverseArray(Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3], [1])).toEqual(Uint8Array.of(3, 2, 1, 6, 5, 4));
    expect(reverseArray(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], [0])).toEqual(Float32Array.of(4, 5, 6, 1, 2, 3));
  });
});

describe('arrays of a type', () => {
  it('are copies where a copy is asked for', () => {
    const source = Float32Array.of(1, 2);
    const copy = copyAs(source, 'float32');
    source[0] = 9;
    expect(copy).toEqual(Float32Array.of(1, 2));
    expect(copyAs([1.7, -1.7], 'int32')).toEqual(Int32Array.of(1, -1));
    expect(copyAs([0, 1], 'bool')).toEqual(Uint8Array.of(0, 1));
  });

  it('are the same array where it has the right kind, and another where not', () => {
    const floats = Float32Array.of(1, 2);
    const whole = Int32Array.of(1, 2);
    expect(viewAs(floats, 'float32')).toBe(floats);
    expect(viewAs(whole, 'int32')).toBe(whole);
    expect(viewAs(whole, 'float32')).toEqual(floats);
  });
});

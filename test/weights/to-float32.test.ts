import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredTensor } from '../../src/weights/stored-tensor.ts';
import { isFloat, misfit, toFloat32 } from '../../src/weights/to-float32.ts';

const { widened } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'oracles', 'weights', 'expected.json'), 'utf8'),
);

const vector = (dtype: string, data: StoredTensor['data']) => ({ dtype, shape: [data.length], data }) as StoredTensor;

describe('as float32', () => {
  it.each(['F16', 'BF16'])('all values of %s are those of PyTorch', (dtype) => {
    const values = toFloat32(
      vector(
        dtype,
        Uint16Array.from({ length: 65536 }, (_, i) => i),
      ),
    );
    const bytes = new Uint8Array(values.map((x) => (Number.isNaN(x) ? 0 : x)).buffer);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(widened[dtype]);
  });

  it('a NaN keeps its payload', () => {
    const bits = (tensor: StoredTensor) => new Uint32Array(toFloat32(tensor).buffer)[0];
    expect(bits(vector('F16', Uint16Array.of(0xfe01)))).toBe(0xffc02000);
    expect(bits(vector('BF16', Uint16Array.of(0x7fc1)))).toBe(0x7fc10000);
  });

  it('float32 is itself, without a copy', () => {
    const data = Float32Array.of(1, 2);
    expect(toFloat32(vector('F32', data))).toBe(data);
  });

  it('float64 is rounded to the nearest, and refused where it would become infinite', () => {
    fc.assert(
      fc.property(fc.double(), (x) => {
        const tensor = vector('F64', Float64Array.of(0, x));
        if (Number.isFinite(x) && Math.abs(x) >= 2 ** 128 - 2 ** 103) {
          expect(() => toFloat32(tensor)).toThrow(`${x} (value 1), which does not fit into float32`);
          expect(() => toFloat32(tensor)).toThrow(RangeError);
        } else {
          expect(toFloat32(tensor)[1]).toBe(Math.fround(x));
        }
      }),
    );
  });

  it('integers are exact, or refused', () => {
    for (const [dtype, make] of [
      ['I32', (x: number) => Int32Array.of(0, x)],
      ['I64', (x: number) => BigInt64Array.of(0n, BigInt(x))],
    ] as const) {
      for (const x of [0, -7, 2 ** 24, -(2 ** 30)]) expect([...toFloat32(vector(dtype, make(x)))]).toEqual([0, x]);
      const odd = vector(dtype, make(2 ** 24 + 1));
      expect(() => toFloat32(odd)).toThrow('16777217 (value 1), which does not fit into float32');
      expect(misfit(odd)).toBeDefined();
    }
    expect([...toFloat32(vector('I16', Int16Array.of(-32768, 32767)))]).toEqual([-32768, 32767]);
    expect([...toFloat32(vector('BOOL', Uint8Array.of(1, 0)))]).toEqual([1, 0]);
  });

  it('knows which types are floats', () => {
    expect(isFloat(vector('BF16', new Uint16Array()))).toBe(true);
    expect(isFloat(vector('I64', new BigInt64Array()))).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { readTensors } from '../../src/weights/torch-tensors.ts';
import { DATA_TYPES, type DataType } from '../../src/weights/torch-types.ts';
import type { Tensor } from '../../src/weights/torch-values.ts';

const ROOM = 40;
const types = [...DATA_TYPES.values()].filter(({ stored }) => stored !== undefined);

interface Words {
  readonly dtype: DataType;
  readonly offset: number;
  readonly axes: readonly (readonly [size: number, stride: number])[];
  readonly begin: number;
}
const words: fc.Arbitrary<Words> = fc.record({
  dtype: fc.constantFrom(...types),
  offset: fc.nat(20),
  axes: fc.array(fc.tuple(fc.nat(4), fc.nat(12)), { maxLength: 4 }),
  begin: fc.nat(4),
});

const tensorOf = ({ dtype, offset, axes, begin }: Words): Tensor => ({
  kind: 'tensor',
  name: 'torch.Tensor',
  storage: { kind: 'storage', name: 'storage', key: '0', dtype, total: ROOM, begin, length: ROOM - begin },
  dtype,
  offset,
  shape: axes.map(([size]) => size),
  strides: axes.map(([, stride]) => stride),
});

/** Byte i of the storage is i, so that each byte of the result tells where it came from. */
const readOne = async (tensor: Tensor, bigEndian = false) => {
  const bytes = Uint8Array.from({ length: ROOM * tensor.storage.dtype.bytes }, (_, i) => i % 251);
  const refuse = (why: string) => new UserError(why);
  const reader = { read: async () => bytes.slice(), bigEndian, allowance: () => undefined, refuse };
  return (await readTensors(new Map([['w', tensor]]), reader)).get('w');
};

/** Straight from the definition: element (i, j, …) lies at begin + offset + i·stride₀ + j·stride₁ + …. */
function placesOf({ offset, axes, begin }: Words): number[] {
  const walk = (axis: number, place: number): number[] => {
    const [size, stride] = axes[axis] ?? [];
    if (size === undefined || stride === undefined) return [place];
    return Array.from({ length: size }, (_, i) => walk(axis + 1, place + i * stride)).flat();
  };
  return walk(0, begin + offset);
}

describe('a tensor in a storage', () => {
  it('of another type is refused where it begins between its elements', async () => {
    const typed = (name: string) => DATA_TYPES.get(name) as DataType;
    const bytes = tensorOf({ dtype: typed('torch.uint8'), offset: 0, axes: [[2, 1]], begin: 2 });
    expect((await readOne({ ...bytes, dtype: typed('torch.int16') }))?.data).toEqual(Int16Array.of(0x0302, 0x0504));
    await expect(readOne({ ...bytes, dtype: typed('torch.float32') })).rejects.toThrow(
      /tensor "w" begins in the middle of an element/,
    );
  });

  it('is what its offset and strides pick, or is refused as soon as one of them is outside', async () => {
    await fc.assert(
      fc.asyncProperty(words, fc.boolean(), async (one, bigEndian) => {
        const { dtype, axes } = one;
        const places = placesOf(one);
        const reading = readOne(tensorOf(one), bigEndian);
        if (places.some((place) => place >= ROOM)) {
          await expect(reading).rejects.toThrow(/tensor "w" reaches to byte/);
          return;
        }
        const picked = places.map((place) =>
          Array.from({ length: dtype.bytes }, (_, i) => (place * dtype.bytes + i) % 251),
        );
        const expected = picked.flatMap((bytes) => (bigEndian ? bytes.reverse() : bytes));
        const tensor = await reading;
        expect(tensor?.dtype).toBe(dtype.stored);
        expect(tensor?.shape).toEqual(axes.map(([size]) => size));
        expect(tensor?.data).toHaveLength(places.length);
        const { buffer, byteOffset, byteLength } = tensor?.data ?? new Uint8Array();
        expect([...new Uint8Array(buffer, byteOffset, byteLength)]).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('in order takes no memory of its own', async () => {
    const [float] = types.filter(({ stored }) => stored === 'F32') as [DataType];
    const axes = [
      [2, 3],
      [1, 99],
      [3, 1],
    ] as const;
    const tensor = await readOne(tensorOf({ dtype: float, offset: 5, axes, begin: 2 }));
    expect(tensor?.data.buffer.byteLength).toBe(ROOM * 4);
    expect(tensor?.data.byteOffset).toBe(7 * 4);
  });
});

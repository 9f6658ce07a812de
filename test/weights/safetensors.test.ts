import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../src/weights/safetensors.ts';

const folder = mkdtempSync(join(tmpdir(), 'gibbon-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file.safetensors');

const readBytes = (bytes: Uint8Array) => {
  writeFileSync(path, bytes);
  return readSafetensors(path);
};

/** The header's length, the header, the data. */
function fileOf(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const shape = fc.array(fc.nat(3), { maxLength: 4 });
const sized = <A>(type: StoredTensor['dtype'], make: (n: number) => fc.Arbitrary<A>) =>
  shape.chain((s) =>
    make(s.reduce((a, b) => a * b, 1)).map((data) => ({ dtype: type, shape: s, data }) as unknown as StoredTensor),
  );
const exactly = (n: number) => ({ minLength: n, maxLength: n });
const tensor = fc.oneof(
  sized('F64', (n) => fc.float64Array(exactly(n))),
  sized('F32', (n) => fc.float32Array(exactly(n))),
  sized('F16', (n) => fc.uint16Array(exactly(n))),
  sized('BF16', (n) => fc.uint16Array(exactly(n))),
  sized('I64', (n) => fc.bigInt64Array(exactly(n))),
  sized('I32', (n) => fc.int32Array(exactly(n))),
  sized('I16', (n) => fc.int16Array(exactly(n))),
  sized('I8', (n) => fc.int8Array(exactly(n))),
  sized('U8', (n) => fc.uint8Array(exactly(n))),
  sized('BOOL', (n) => fc.uint8Array({ max: 1, ...exactly(n) })),
);
const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((n) => n !== '__metadata__');
const tensors = fc.array(fc.tuple(name, tensor), { maxLength: 5 }).map((entries) => new Map(entries));
const metadata = fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 });

const F32_AT_0 = '{"dtype":"F32","shape":[],"data_offsets":[0,4]}';

/** Written by the safetensors package for Python, from PyTorch tensors. */
const REFERENCE =
  'kAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJtYWRlIGJ5IjoiUHlUb3JjaCDinJMifSwiY291bnQiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6W10s' +
  'ImRhdGFfb2Zmc2V0cyI6WzAsOF19LCJiLndlaWdodCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMiwyXSwiZGF0YV9vZmZzZXRzIjpbOCwyNF19' +
  'LCJlbXB0eSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCwzXSwiZGF0YV9vZmZzZXRzIjpbMjQsMjRdfSwibGFiZWxzIjp7ImR0eXBlIjoiSTMy' +
  'Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMjQsMzZdfSwiYnl0ZXMiOnsiZHR5cGUiOiJVOCIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0' +
  'cyI6WzM2LDM5XX0sIm1hc2siOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMzksNDFdfX0gAAAAAAABAAAAAMA/' +
  'AAAAwAAAUEAAAAAAAQAAAP7///8DAAAAAP8HAQA=';

const SAMPLE = new Map<string, StoredTensor>([
  ['a.weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-30, 4) }],
  ['a.labels', { dtype: 'I64', shape: [2], data: BigInt64Array.of(7n, -1n) }],
  ['flag', { dtype: 'BOOL', shape: [], data: Uint8Array.of(1) }],
]);

describe('safetensors', () => {
  it('come back as they were written, byte for byte the same each time', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (written, words) => {
        const sha256 = await writeSafetensors(path, written, words);
        const bytes = readFileSync(path);
        const read = await readSafetensors(path);
        expect(new Map(read.tensors)).toEqual(written);
        expect(read.metadata).toEqual(words);
        expect(read.sha256).toBe(sha256);
        expect(await writeSafetensors(path, written, words)).toBe(sha256);
        expect(readFileSync(path).equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('of the reference implementation are read', async () => {
    const { tensors: read, metadata: words } = await readBytes(Buffer.from(REFERENCE, 'base64'));
    expect(words).toEqual({ 'made by': 'PyTorch ✓' });
    expect(Object.fromEntries(read)).toEqual({
      'b.weight': { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1.5, -2, 3.25, 0) },
      empty: { dtype: 'F32', shape: [0, 3], data: new Float32Array() },
      count: { dtype: 'I64', shape: [], data: BigInt64Array.of(1n << 40n) },
      labels: { dtype: 'I32', shape: [3], data: Int32Array.of(1, -2, 3) },
      bytes: { dtype: 'U8', shape: [3], data: Uint8Array.of(0, 255, 7) },
      mask: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    });
  });

  it('cut short anywhere are refused', async () => {
    await writeSafetensors(path, SAMPLE, { key: 'value' });
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      await expect(readBytes(whole.subarray(0, length)), `${length} bytes`).rejects.toThrow(UserError);
    }
  });

  it('with anything after their end are refused', async () => {
    await writeSafetensors(path, SAMPLE);
    await expect(readBytes(Buffer.concat([readFileSync(path), Buffer.of(0)]))).rejects.toThrow(/last 1 bytes/);
  });

  it('with corrupt bytes are read or refused, and nothing else ever happens', async () => {
    await writeSafetensors(path, SAMPLE, { key: 'value' });
    const whole = readFileSync(path);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [position, value] of changes) bytes[position] = value;
        await onlyUserErrors(readBytes(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('that are random JSON or random bytes are refused, and nothing else ever happens', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.json().map((json) => fileOf(json)),
          fc.uint8Array(),
        ),
        (bytes) => onlyUserErrors(readBytes(bytes)),
      ),
      { numRuns: 200 },
    );
  });

  const one = (dtype: unknown, dims: unknown, offsets: unknown) => ({
    w: { dtype, shape: dims, data_offsets: offsets },
  });
  const TEN_GB = 10_000_000_000;
  const hugeHeader = new Uint8Array(16);
  new DataView(hugeHeader.buffer).setBigUint64(0, 2n ** 63n, true);
  it.each<[string, Uint8Array, RegExp]>([
    ['a header longer than the file', hugeHeader, /header would take 9223372036854775808 bytes/],
    ['a header that is no JSON', fileOf('{"w":'), /not valid JSON/],
    ['a header that is not UTF-8', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff), /UTF-8/],
    ['a header that is a list', fileOf('[]'), /not a JSON object/],
    ['a header nested without end', fileOf('['.repeat(1_000_000)), /nests deeper/],
    ['a name twice', fileOf(`{"w":${F32_AT_0},"\\u0077":${F32_AT_0}}`, new Uint8Array(4)), /"w" twice/],
    ['a field twice', fileOf('{"w":{"dtype":"U8","dtype":"F32"}}'), /"dtype" twice/],
    ['metadata that are no strings', fileOf({ __metadata__: { a: 1 } }), /metadata/],
    ['a tensor that is no object', fileOf({ w: null }), /"w" is not described/],
    [
      'an eight-bit float',
      fileOf(one('F8_E5M2', [4], [0, 4]), new Uint8Array(4)),
      /dtype "F8_E5M2"; understood are F64/,
    ],
    ['a type named like a method', fileOf(one('toString', [], [0, 0])), /dtype "toString"/],
    ['no dtype', fileOf(one(1, [], [0, 4]), new Uint8Array(4)), /no dtype/],
    ['a negative size', fileOf(one('F32', [-1], [0, 4]), new Uint8Array(4)), /shape/],
    ['a fractional size', fileOf(one('F32', [0.5, 2], [0, 4]), new Uint8Array(4)), /shape/],
    ['three offsets', fileOf(one('F32', [], [0, 4, 4]), new Uint8Array(4)), /data_offsets/],
    ['offsets the wrong way round', fileOf(one('F32', [], [4, 0]), new Uint8Array(4)), /ends before it begins/],
    ['a claim of 10 GB', fileOf(one('U8', [TEN_GB], [0, TEN_GB])), /ends at byte 10000000000/],
    ['a shape of 10 GB', fileOf(one('U8', [TEN_GB], [0, 4]), new Uint8Array(4)), /needs 10000000000 bytes and has 4/],
    [
      'a shape beyond all numbers',
      fileOf(one('U8', Array(40).fill(2 ** 52), [0, 4]), new Uint8Array(4)),
      /bytes and has 4/,
    ],
    [
      'an overlap',
      fileOf({ ...one('U8', [4], [0, 4]), v: { dtype: 'U8', shape: [2], data_offsets: [2, 4] } }, new Uint8Array(4)),
      /overlaps/,
    ],
    ['a gap', fileOf(one('U8', [2], [2, 4]), new Uint8Array(4)), /nothing describes the 2 bytes before/],
  ])('with %s are refused at once, by name', async (_what, bytes, message) => {
    const started = performance.now();
    const error = await readBytes(bytes).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect((error as UserError).message).toContain(path);
    expect((error as UserError).message).not.toContain('\n');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['nothing', join(folder, 'nothing.safetensors'), /nothing.safetensors: no such file/],
    ['a folder', folder, /is a folder, not a file/],
    ['a device', '/dev/null', /is not a file/],
  ])('that are %s are refused', async (_what, where, message) => {
    await expect(readSafetensors(where)).rejects.toThrow(message);
    await expect(readSafetensors(where)).rejects.toThrow(UserError);
  });
});

describe('writing safetensors', () => {
  it('leaves nothing behind when it fails', async () => {
    const before = readdirSync(folder);
    await expect(writeSafetensors(folder, SAMPLE)).rejects.toThrow(UserError);
    expect(readdirSync(folder)).toEqual(before);
    const short = new Map<string, StoredTensor>([['w', { dtype: 'F32', shape: [2], data: new Float32Array(1) }]]);
    await expect(writeSafetensors(join(folder, 'new'), short)).rejects.toThrow(/do not fill/);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('makes the folders on the way', async () => {
    const deep = join(folder, 'a', 'b', 'c.safetensors');
    await writeSafetensors(deep, SAMPLE);
    expect((await readSafetensors(deep)).tensors.size).toBe(SAMPLE.size);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['c.safetensors']);
  });
});

async function onlyUserErrors(reading: Promise<unknown>): Promise<void> {
  const outcome = await reading.catch((error: unknown) => error);
  if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError);
}

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { readWeights } from '../../src/weights/read-weights.ts';
import * as p from './pickle-assembler.ts';
import { expectRefusal, ORACLES, oracle, read } from './refusal.ts';

describe('any file', () => {
  it.each(['protocol-3.pth', 'net-legacy.pth', 'deflated.pth', 'protocol-4-legacy.pth'])(
    '%s cut short anywhere is refused',
    async (file) => {
      const whole = oracle(file);
      for (let length = 0; length < whole.length; length++) {
        await expect(read(whole.subarray(0, length)), `${length} bytes`).rejects.toThrow(UserError);
      }
    },
  );

  it('tar.pth cut short before its end is marked is refused', async () => {
    const whole = oracle('tar.pth');
    const end = whole.findLastIndex((byte) => byte !== 0);
    for (let length = 0; length <= end; length += length > 256 ? 7 : 1) {
      await expect(read(whole.subarray(0, length)), `${length} bytes`).rejects.toThrow(UserError);
    }
  });

  it.each(['protocol-3.pth', 'net-legacy.pth', 'views-zip.pth', 'deflated.pth', 'tar.pth'])(
    '%s with corrupt bytes is read or refused, and nothing else ever happens',
    async (file) => {
      const whole = oracle(file);
      const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
          const bytes = Buffer.from(whole);
          for (const [position, value] of changes) bytes[position] = value;
          const outcome = await read(bytes).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError);
        }),
        { numRuns: 250 },
      );
    },
  );

  it('with a random pickle is read or refused, and nothing else ever happens', async () => {
    const instruction = fc.oneof(
      fc.constantFrom(...'().0]}asutebRQNKq2lhd\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94\x81').map((c) => p.bytes(c)),
      fc.constantFrom(
        p.text('w'),
        p.number(1),
        p.storage(),
        p.tensor(0, [2], [1]),
        p.global('collections', 'OrderedDict'),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(instruction, { maxLength: 30 }), async (instructions) => {
        const outcome = await read(p.pthZip(p.pickle(...instructions))).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError);
      }),
      { numRuns: 500 },
    );
  });
});

describe('files that hold something else', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', Buffer.alloc(0), /is empty/],
    [
      'a page',
      Buffer.from('\n<!DOCTYPE html><html><body>404'),
      /is an HTML page, such as servers send in place of a file/,
    ],
    ['an error of a server', Buffer.from('<?xml version="1.0"?><Error/>'), /is an XML page/],
    [
      'a pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
      /Git LFS pointer.*git lfs pull/,
    ],
    ['a TensorFlow.js model', Buffer.from('{"format":"layers-model","modelTopology":{}}'), /TensorFlow.js.*--arch/],
    ['other JSON', Buffer.from('{"a": 1}'), /is JSON/],
    ['Keras', Buffer.from('\x89HDF\r\n\x1a\n rest', 'latin1'), /HDF5 file, as Keras writes/],
    ['ONNX', Buffer.from('\x08\x08\x12\x07pytorch', 'latin1'), /is an ONNX model/],
    ['a packed file', Buffer.from('\x1f\x8b\x08rest', 'latin1'), /packed by gzip. Unpack/],
    ['another pickle', p.pickle('N'), /Python pickle that PyTorch did not write/],
    ['anything', Buffer.from('GIF89a'), /begins with the bytes 47 49 46 38 39 61/],
  ])('%s: named', async (_what, bytes, message) => {
    await expectRefusal(bytes, message);
  });

  it('a folder, or nothing at all: named', async () => {
    await expect(readWeights(ORACLES)).rejects.toThrow(/is a folder/);
    await expect(readWeights(join(ORACLES, 'nothing'))).rejects.toThrow(/no such file/);
  });
});

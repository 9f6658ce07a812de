import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { inMemory } from '../../src/weights/byte-source.ts';
import { readWeights, readWeightsFrom } from '../../src/weights/read-weights.ts';
import * as p from './pickle-assembler.ts';

const path = 'folder/file.pth';

const ORACLES = join(import.meta.dirname, '..', 'oracles', 'weights');
const oracle = (file: string): Buffer => readFileSync(join(ORACLES, file));

const read = (bytes: Uint8Array) => readWeightsFrom(inMemory(path, new Uint8Array(bytes)));

/** In under a second of computing, by one line that names the file. */
async function expectRefusal(bytes: Uint8Array, message: RegExp): Promise<void> {
  const started = process.cpuUsage();
  const error = await read(bytes).catch((thrown: unknown) => thrown);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1e6).toBeLessThan(1);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(message);
  expect((error as UserError).message).toContain(path);
  expect((error as UserError).message).not.toContain('\n');
}

const HONEST = p.pickle(p.dictionary(p.text('w'), p.tensor(0, [2, 2], [2, 1])));

describe('the assembler', () => {
  it.each([
    ['zip', p.pthZip(HONEST)],
    ['stream', p.pthLegacy(HONEST)],
  ])('makes a %s that is read when it is honest', async (_container, bytes) => {
    const { tensors } = await read(bytes);
    expect(Object.fromEntries(tensors)).toEqual({ w: { dtype: 'F32', shape: [2, 2], data: new Float32Array(4) } });
  });
});

describe('files that want something run', () => {
  const argument = p.text('touch /tmp/harmed');
  it.each<[string, Buffer, string]>([
    ['a call of os.system', p.call(p.global('os', 'system'), argument), 'os.system'],
    ['posix.system, as pickle names it', p.call(p.global('posix', 'system'), argument), 'posix.system'],
    ['eval of Python 2', p.call(p.global('__builtin__', 'eval'), argument), '__builtin__.eval'],
    ['getattr', p.call(p.global('builtins', 'getattr'), p.NONE, argument), 'builtins.getattr'],
    ['a name from the stack', p.bytes('\x8c\x02os\x8c\x06system\x93'), 'os.system'],
    [
      'a name that is a path through torch',
      p.global('torch', 'serialization.os.system'),
      'torch.serialization.os.system',
    ],
    ['a new object of some class', p.bytes(p.global('subprocess', 'Popen'), ')\x81'), 'subprocess.Popen'],
    ['a class of its own', p.global('__main__', 'Net'), '__main__.Net'],
    ['a name with line feeds', p.bytes('\x8c\x03a\nb\x8c\x01c\x93'), '"a\\nb.c"'],
    ['a name like a method of every object', p.global('constructor', 'prototype'), 'constructor.prototype'],
    ['a module with its code', p.bytes('(', p.text('module'), p.global('nets', 'Net'), 'N', 'N', 'tQ'), 'nets.Net'],
  ])('%s are refused by that name', async (_what, value, name) => {
    const message = `asks for ${name}, which is refused: weights are data, and nothing was run. Save its state dict`;
    const pattern = new RegExp(message.replace(/[.\\]/g, '\\$&'));
    await expectRefusal(p.pthZip(p.pickle(value)), pattern);
    await expectRefusal(p.pthLegacy(p.pickle(value)), pattern);
  });

  it.each([
    ['a method on the stack', p.bytes('(ios\nsystem\n'), /instruction 0x69, which is unknown/],
    ['an extension', p.bytes('\x82\x01'), /instruction 0x82/],
    ['a string', p.call(p.text('os.system'), argument), /calls the string "os.system"/],
    ['a type', p.call(p.global('torch', 'FloatStorage')), /calls torch.FloatStorage/],
    ['a list', p.call(p.bytes(']')), /calls what is no function/],
    ['a state for a tensor', p.bytes(p.tensor(0, [], []), '}b'), /gives a state to what has none/],
    ['a whole network', p.global('torch.nn.modules.container', 'Sequential'), /holds a whole model \(torch.nn.modules/],
    ['a whole network of torchvision', p.global('torchvision.models.resnet', 'ResNet'), /holds a whole model/],
  ])('%s are refused', async (_what, value, message) => {
    await expectRefusal(p.pthZip(p.pickle(value)), message);
  });
});

describe('pickles that are no honest program', () => {
  const deep = p.bytes(']'.repeat(200_000), 'a'.repeat(199_999));
  const state = (value: Uint8Array) => p.pickle(p.dictionary(p.text('w'), value));
  const laughs = p.bytes(
    ']q\x00',
    ...Array.from({ length: 200 }, () => p.bytes('(', 'h\x00'.repeat(100), 't', 'q\x00')),
  );
  const wide = p.bytes('](', 'NN\x86'.repeat(100_000), 'eq\x00');
  it.each<[string, Buffer, RegExp]>([
    ['a list inside itself', p.pickle(']q\x00h\x00a'), /holds no state dict/],
    ['a dictionary inside itself', p.pickle('}q\x00', p.text('w'), 'h\x00s'), /entry "w", which is no tensor/],
    [
      'a dictionary as its own state dict',
      p.pickle('}q\x00', p.text('state_dict'), 'h\x00s'),
      /entry "state_dict", which is no/,
    ],
    ['lists nested without end', state(deep), /entry "w", which is no tensor/],
    ['tuples of tuples of tuples', state(laughs), /entry "w", which is no tensor/],
    ['a name made of nested tuples', p.pickle(laughs, 'h\x00', '\x93'), /names something by what is no name/],
    [
      'dictionaries from one list, again and again',
      state(
        p.bytes(
          wide,
          ...Array.from({ length: 50 }, () =>
            p.bytes(p.call(p.global('collections', 'OrderedDict'), p.bytes('h\x00')), '0'),
          ),
        ),
      ),
      /more than 524288 entries/,
    ],
    ['instructions without end', p.pickle('N0'.repeat(2 ** 19)), /more than 524288 steps/],
    ['a string of 4 GB', p.pickle('X', p.uint32(0xffffffff), 'abc'), /cut short/],
    ['a string of 2⁶⁴ bytes', p.pickle('\x8d', '\xff'.repeat(8)), /cut short/],
    ['a number of 2 GB', p.pickle('\x8b', p.uint32(2 ** 31)), /number of 2147483648 bytes/],
    ['a number of many digits', p.pickle('L', '9'.repeat(100_000), 'L\n'), /malformed number/],
    ['a number that is none', p.pickle('Ixyz\n'), /malformed number/],
    ['a string that is not UTF-8', p.pickle('X', p.uint32(1), '\xff'), /not UTF-8/],
    ['an empty stack', p.pickle(), /takes more from its stack than is there/],
    ['a stack taken below its mark', p.pickle('N(0'), /takes more from its stack/],
    ['no mark', p.pickle('Nt'), /lacks a mark/],
    ['a key without a value', p.pickle('}(Nu'), /key without a value/],
    ['an entry for a list', p.pickle(']NNs'), /no dictionary/],
    ['an item for a dictionary', p.pickle('}Na'), /not a list/],
    ['a memory of nothing', p.pickle('h\x07'), /never remembered/],
    ['protocol 6', p.bytes('\x80\x06N.'), /protocol 6/],
    ['no end', p.bytes('\x80\x02N'), /cut short/],
    ['nothing', Buffer.alloc(0), /cut short/],
    ['a megabyte of nothing', Buffer.alloc(2 ** 20), /instruction 0x00/],
    ['arguments that are none', p.pickle(p.global('collections', 'OrderedDict'), 'NR'), /without arguments/],
    ['a dictionary of no pairs', state(p.call(p.global('collections', 'OrderedDict'), p.bytes('](NNe'))), /no pairs/],
    [
      'a parameter of nothing',
      state(p.call(p.global('torch._utils', '_rebuild_parameter'), p.NONE)),
      /made from no tensor/,
    ],
    ['an unnamed tensor', p.pickle(p.dictionary(p.number(1), p.tensor(0, [], []))), /an unnamed entry/],
    ['a tensor alone', p.pickle(p.tensor(0, [], [])), /a single tensor/],
    ['a dictionary of nothing', p.pickle('}'), /an empty dictionary/],
  ])('%s: refused at once, by name', async (_what, bytes, message) => {
    await expectRefusal(p.pthZip(bytes), message);
  });
});

describe('tensors that are not in their storages', () => {
  const state = (value: Uint8Array) => p.pickle(p.dictionary(p.text('w'), value));
  const TEN_GB = 10_000_000_000;
  it.each<[string, Buffer, RegExp]>([
    ['an offset outside', p.tensor(1, [2, 2], [2, 1]), /tensor "w" reaches to byte 20 of a storage that has 16/],
    ['a stride outside', p.tensor(0, [2, 2], [3, 1]), /reaches to byte 20/],
    ['a shape outside', p.tensor(0, [5], [1]), /reaches to byte 20/],
    ['an offset beyond all numbers', p.tensor(2 ** 53 - 1, [1], [1]), /reaches to byte/],
    ['strides beyond all numbers', p.tensor(0, [2, 2, 2], [2 ** 52, 2 ** 52, 2 ** 52]), /reaches to byte/],
    ['a negative offset', p.tensor(-1, [1], [1]), /no valid offset/],
    ['a negative stride', p.tensor(3, [4], [-1]), /no valid strides/],
    ['a negative shape', p.tensor(0, [-4], [1]), /no valid shape/],
    ['too few strides', p.tensor(0, [2, 2], [1]), /no valid strides/],
    ['a hundred dimensions', p.tensor(0, Array(100).fill(1), Array(100).fill(1)), /no valid shape/],
    ['one number for 10 GB', p.tensor(0, [TEN_GB], [0]), /would unfold into more than/],
    [
      'one number beyond all numbers',
      p.tensor(0, Array(60).fill(2 ** 52), Array(60).fill(0)),
      /would unfold into more/,
    ],
    ['a storage of 10 GB', p.tensor(0, [1], [1], p.storage({ length: TEN_GB })), /would unfold into more than/],
    [
      'a storage of other size',
      p.tensor(0, [1], [1], p.storage({ length: 5 })),
      /storage "0" needs 20 bytes and has 16/,
    ],
    [
      'a storage that is missing',
      p.tensor(0, [1], [1], p.storage({ key: '7' })),
      /storage "7" needs 16 bytes and has none/,
    ],
    ['a storage outside its folder', p.tensor(0, [1], [1], p.storage({ key: '../data.pkl' })), /has none/],
    ['no storage', p.tensor(0, [1], [1], p.NONE), /has no storage/],
    [
      'a storage without a type',
      p.bytes(p.tuple(p.text('storage'), p.NONE, p.text('0'), p.NONE, p.number(4)), 'Q'),
      /has no type/,
    ],
    ['something else elsewhere', p.bytes(p.text('storage'), 'Q'), /lies elsewhere, and is no storage/],
  ])('%s: refused at once, by name', async (_what, value, message) => {
    await expectRefusal(p.pthZip(state(value)), message);
  });

  it('one storage under two types is refused', async () => {
    const two = p.dictionary(
      p.text('a'),
      p.tensor(0, [1], [1]),
      p.text('b'),
      p.tensor(0, [1], [1], p.storage({ type: 'IntStorage' })),
    );
    await expectRefusal(p.pthZip(p.pickle(two)), /storage "0" is described in two ways/);
  });

  it('many copies of one number are refused before they fill the memory', async () => {
    const copies = Array.from({ length: 200 }, (_, i) => p.bytes(p.text(`w${i}`), p.tensor(0, [1_000_000], [0])));
    await expectRefusal(p.pthZip(p.pickle(p.dictionary(...copies))), /would unfold into more than/);
  });

  it('a stream with storages that are missing, unknown or of other size is refused', async () => {
    await expectRefusal(p.pthLegacy(HONEST, []), /storage "0" is missing/);
    await expectRefusal(p.pthLegacy(HONEST, ['0', '1']), /lists a storage that no tensor has/);
    const five = p.pickle(p.dictionary(p.text('w'), p.tensor(0, [1], [1], p.storage({ length: 5 }))));
    await expectRefusal(p.pthLegacy(five), /has 4 elements, and 5 are announced/);
  });

  it('a part of a storage is that part alone', async () => {
    const part = (begin: number, length: number, offset: number) => {
      const view = p.tuple(p.text('1'), p.number(begin), p.number(length));
      const words = [
        p.text('storage'),
        p.global('torch', 'FloatStorage'),
        p.text('0'),
        p.text('cpu'),
        p.number(4),
        view,
      ];
      return p.pthLegacy(
        p.pickle(p.dictionary(p.text('w'), p.tensor(offset, [2], [1], p.bytes(p.tuple(...words), 'Q')))),
      );
    };
    const whole = part(1, 2, 0);
    Float32Array.of(1, 2, 3, 4).forEach((x, i) => void whole.writeFloatLE(x, whole.length - 16 + 4 * i));
    expect((await read(whole)).tensors.get('w')?.data).toEqual(Float32Array.of(2, 3));
    await expectRefusal(part(1, 2, 1), /reaches to byte 12 of a storage that has 8/);
    await expectRefusal(part(3, 2, 0), /outside its storage/);
  });
});

describe('zip archives that lie', () => {
  const data = { name: 'x/data.pkl', data: HONEST };
  const values = { name: 'x/data/0', data: new Uint8Array(16) };
  const other = (name: string) => ({ name, data: new Uint8Array(3) });
  const bomb = p.pickle(p.dictionary(p.text('w'), p.tensor(0, [1], [1], p.storage({ length: 64_000_000 }))));
  it.each<[string, Buffer, RegExp]>([
    [
      'a name that leads upwards',
      p.zip([data, values, other('x/../../etc/passwd')]),
      /"x\/..\/..\/etc\/passwd" has a name that leads/,
    ],
    ['a name from the root', p.zip([data, values, other('/etc/passwd')]), /leads elsewhere/],
    ['a name of another system', p.zip([data, values, other('x\\..\\y')]), /leads elsewhere/],
    ['a member twice', p.zip([data, values, values]), /member "x\/data\/0" twice/],
    ['two roots', p.zip([data, values, { name: 'y/data.pkl', data: HONEST }]), /has one data.pkl/],
    ['no pickle', p.zip([values, other('README')]), /not one of PyTorch.*"x\/data\/0", "README"/],
    ['nothing', p.zip([]), /looks|begins with/],
    ['a member of 4 GB', p.zip([data, { ...values, size: 4_000_000_000 }]), /needs 16 bytes and has 4000000000/],
    ['a pickle of 4 GB', p.zip([{ ...data, size: 4_000_000_000 }, values]), /reaches into what follows it/],
    [
      'a packed pickle of 4 GB',
      p.zip([{ ...data, deflated: true, size: 4_000_000_000 }, values]),
      /would unfold into more/,
    ],
    [
      'a pickle packed to less than it is',
      p.zip([{ ...data, deflated: true, size: 10 }, values]),
      /cannot be unpacked/,
    ],
    [
      'a pickle packed to more than it is',
      p.zip([{ ...data, deflated: true, size: 1000 }, values]),
      /unpacks to \d+ bytes, not 1000/,
    ],
    [
      'a bomb',
      p.zip([
        { name: 'x/data.pkl', data: bomb },
        { name: 'x/data/0', data: new Uint8Array(256_000_000), deflated: true },
      ]),
      /would unfold into more than/,
    ],
  ])('%s: refused at once, by name', async (_what, bytes, message) => {
    await expectRefusal(bytes, message);
  });

  it('by any field of the directory of 10 GB are refused', async () => {
    const honest = oracle('protocol-3.pth');
    const end64 = honest.indexOf('PK\x06\x06', 0, 'latin1');
    for (const field of [32, 40, 48]) {
      const bytes = Buffer.from(honest);
      bytes.writeBigUInt64LE(10_000_000_000n, end64 + field);
      await expectRefusal(bytes, /directory/);
    }
  });
});

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
        { numRuns: 400 },
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
      { numRuns: 1000 },
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

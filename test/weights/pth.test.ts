import { describe, expect, it } from 'vitest';
import * as p from './pickle-assembler.ts';
import { expectRefusal, oracle, read } from './refusal.ts';

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
    await expectRefusal(p.pthLegacy(p.HONEST, []), /storage "0" is missing/);
    await expectRefusal(p.pthLegacy(p.HONEST, ['0', '1']), /lists a storage that no tensor has/);
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
  const data = { name: 'x/data.pkl', data: p.HONEST };
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
    ['two roots', p.zip([data, values, { name: 'y/data.pkl', data: p.HONEST }]), /has one data.pkl/],
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

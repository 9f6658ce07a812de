import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { openFashionMnist } from '../../src/data/fashion-mnist.ts';
import { idsOf, take, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const IMAGES = 't10k-images-idx3-ubyte';
const LABELS = 't10k-labels-idx1-ubyte';
const PIXELS = 28 * 28;

function idx(sizes: readonly number[], data: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  [0x0800 + sizes.length, ...sizes].forEach((word, i) => {
    head.writeUInt32BE(word, 4 * i);
  });
  return Buffer.concat([head, data]);
}

const images = idx(
  [2, 28, 28],
  Uint8Array.from({ length: 2 * PIXELS }, (_, i) => i % 256),
);
const labels = idx([2], Uint8Array.of(9, 3));

/** A folder with these files alone. */
async function folderOf(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const place = join(folder, name);
  await mkdir(place, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(place, file), content);
  return place;
}

describe('Fashion-MNIST', () => {
  let plain = '';
  let packed = '';
  beforeEach(async () => {
    plain = await folderOf('plain', { [IMAGES]: images, [LABELS]: labels });
    packed = await folderOf('packed', { [`${IMAGES}.gz`]: gzipSync(images), [`${LABELS}.gz`]: gzipSync(labels) });
  });

  it('is read from idx files, packed or not: the same images, the same hash', async () => {
    const [one, two] = [await openFashionMnist('test', [plain]), await openFashionMnist('test', [packed])];
    const examples = await take(one);
    expect(idsOf(examples)).toEqual(['fashion-mnist/test/0', 'fashion-mnist/test/1']);
    expect(examples.map(({ label }) => label)).toEqual([9, 3]);
    expect(examples[0]?.image[5]).toBe(Math.fround(5 / 255));
    expect(one.classes[9]).toBe('Ankle boot');
    expect(await take(two)).toEqual(examples);
    expect(await two.hash()).toBe(await one.hash());
    expect(idsOf(await take(two, { seed: 1 }))).toEqual(idsOf(await take(one, { seed: 1 })));
  });

  it('is taken from the first folder that has it', async () => {
    const dataset = await openFashionMnist('test', [join(folder, 'nowhere'), packed, plain]);
    expect(dataset.size).toBe(2);
  });

  it('that is not there is one line: what to get, where to put it, what runs without', async () => {
    const error = await openFashionMnist('train', [join(folder, 'a'), plain]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    for (const part of ['https://github.com/zalandoresearch/fashion-mnist', join(folder, 'a'), 'mnist runs'])
      expect(message).toContain(part);
    for (const part of ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz']) expect(message).toContain(part);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['cut short', gzipSync(images).subarray(0, 60), /images-idx3-ubyte\.gz is damaged/],
    [
      'of noise after its first bytes',
      Buffer.concat([gzipSync(images).subarray(0, 12), Buffer.alloc(40, 7)]),
      /damaged/,
    ],
    ['of a shorter file', gzipSync(images.subarray(0, 900)), /damaged: its header promises 1584 bytes and it has 900/],
    ['of something else', gzipSync(Buffer.from('hello')), /is not an idx file/],
    [
      'that unpacks to more than memory should hold',
      gzipSync(Buffer.alloc(2 ** 26 + 1), { level: 1 }),
      /damaged: unpacked it is longer/,
    ],
  ])('with a packed file %s is refused, by name', async (_what, content, message) => {
    await writeFile(join(packed, `${IMAGES}.gz`), content);
    const error = await openFashionMnist('test', [packed]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
  });

  const debian = '/usr/share/datasets/fashion-mnist';
  it.skipIf(!existsSync(debian))('of Debian is the published one: 60,000 and 10,000 images', async () => {
    const [train, test] = [await openFashionMnist('train', [debian]), await openFashionMnist('test', [debian])];
    expect([train.size, test.size]).toEqual([60_000, 10_000]);
    // The first of the test images are an ankle boot, a pullover and two pairs of trousers.
    expect((await take(test, { images: 4 })).map(({ label }) => label)).toEqual([9, 2, 1, 1]);
  });
});

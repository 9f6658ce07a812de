import { existsSync, readdirSync } from 'node:fs';
import { mkdir, open, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { openCifar10 } from '../../src/data/cifar10.ts';
import { idsOf, take, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const inner = join(folder, 'cifar-10-batches-bin');
const RECORD = 3073;
const TRAIN = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

/** A file of 10,000 black aeroplanes, which takes no room on the disk, but for these records. */
async function putBatch(
  place: string,
  name: string,
  records: Readonly<Record<number, Uint8Array>> = {},
): Promise<void> {
  await mkdir(place, { recursive: true });
  const file = await open(join(place, name), 'w');
  await file.truncate(10_000 * RECORD);
  for (const [index, record] of Object.entries(records))
    await file.write(record, 0, record.length, Number(index) * RECORD);
  await file.close();
}

/** Red grows along rows, green down columns, blue is the label's. */
function record(label: number): Uint8Array {
  const bytes = Buffer.alloc(RECORD);
  bytes[0] = label;
  for (let y = 0; y < 32; y++) {
    for (let x = 0; x < 32; x++) {
      bytes[1 + y * 32 + x] = x;
      bytes[1 + 1024 + y * 32 + x] = 100 + y;
      bytes[1 + 2048 + y * 32 + x] = 200 + label;
    }
  }
  return bytes;
}

const openFiles = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

describe('CIFAR-10', () => {
  beforeEach(async () => {
    await putBatch(inner, 'test_batch.bin', { 0: record(3), 9999: record(8) });
    for (const [i, name] of TRAIN.entries()) await putBatch(inner, name, { 2: record(i + 1) });
  });

  it('is read from its binary version: planes of colours become pixels', async () => {
    const dataset = await openCifar10('test', folder);
    expect([dataset.size, dataset.input, dataset.classes[3]]).toEqual([10_000, [32, 32, 3], 'cat']);
    const [first, second] = await take(dataset, { images: 2 });
    expect([first?.label, first?.id, second?.label]).toEqual([3, 'cifar10/test/0', 0]);
    const pixel = (7 * 32 + 5) * 3;
    const expected = [5, 107, 203].map((byte) => Math.fround(byte / 255));
    expect([...(first?.image.slice(pixel, pixel + 3) ?? [])]).toEqual(expected);
    expect(first?.image).toHaveLength(32 * 32 * 3);
  });

  it('for training has the five batches one after the other', async () => {
    const dataset = await openCifar10('train', inner);
    expect(dataset.size).toBe(50_000);
    const labels = new Map<string, number>();
    for await (const { id, label } of dataset.stream({ images: 20_003 })) if (label > 0) labels.set(id, label);
    expect([...labels]).toEqual([1, 2, 3].map((i) => [`cifar10/train/${(i - 1) * 10_000 + 2}`, i]));
  });

  it('in a seeded order has every image once, and closes its files when a reader stops', async () => {
    const dataset = await openCifar10('test', folder);
    const before = openFiles();
    const ids = idsOf(await take(dataset, { seed: 1, images: 500 }));
    expect(new Set(ids).size).toBe(500);
    for await (const _ of dataset.stream()) break;
    expect(openFiles()).toBe(before);
    expect(await dataset.hash()).toMatch(/^[0-9a-f]{64}$/);
  });

  const refusal = async (split: 'train' | 'test', place = folder): Promise<string> => {
    const before = openFiles();
    const error = await openCifar10(split, place).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(openFiles()).toBe(before);
    return (error as Error).message;
  };

  it('that is not there is one line: what to get, where to put it, what runs without', async () => {
    const message = await refusal('test', join(folder, 'nowhere'));
    for (const part of ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz', 'mnist runs'])
      expect(message).toContain(part);
    expect(message).toContain(join(folder, 'nowhere', 'cifar-10-batches-bin', 'test_batch.bin'));
    expect(message).not.toContain('\n');
  });

  it('with a batch missing, cut short or too long is refused, by name', async () => {
    await truncate(join(inner, 'test_batch.bin'), 9999 * RECORD);
    expect(await refusal('test')).toMatch(
      /test_batch\.bin is damaged: it has 30726927 bytes, and 10,000 images take 30730000/,
    );
    await truncate(join(inner, 'data_batch_4.bin'), 10_000 * RECORD + 1);
    expect(await refusal('train')).toMatch(/data_batch_4\.bin is damaged/);
    await unlink(join(inner, 'data_batch_2.bin'));
    expect(existsSync(join(inner, 'data_batch_2.bin'))).toBe(false);
    expect(await refusal('train')).toMatch(/cannot read .*data_batch_2\.bin: no such file/);
  });

  it('with a label that is no class is refused at that image', async () => {
    await putBatch(inner, 'test_batch.bin', { 1: record(10) });
    const dataset = await openCifar10('test', folder);
    expect(await take(dataset, { images: 1 })).toHaveLength(1);
    await expect(take(dataset)).rejects.toThrow(/test_batch\.bin is damaged: label 1 is 10, and there are 10 classes/);
  });
});

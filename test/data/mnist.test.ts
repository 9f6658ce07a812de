import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset, Example, StreamOptions } from '../../src/core/dataset.ts';
import { UserError } from '../../src/core/errors.ts';
import { openMnist } from '../../src/data/mnist.ts';

const folder = mkdtempSync(join(tmpdir(), 'gibbon-mnist-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function take(dataset: Dataset, options?: StreamOptions): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const example of dataset.stream(options)) examples.push(example);
  return examples;
}

const idsOf = (examples: readonly Example[]): string[] => examples.map(({ id }) => id);

describe('MNIST', () => {
  it('is the standard one: 60,000 and 10,000 digits, by SHA-256', async () => {
    const [train, test] = [await openMnist('train'), await openMnist('test')];
    expect([train.size, test.size]).toEqual([60_000, 10_000]);
    expect(test.input).toEqual([28, 28, 1]);
    expect(test.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(await train.hash()).toBe('c5097fdd51cfdbe7695fd9df3612695696864b5c424f58d843ffdc5d335e9914');
    expect(await test.hash()).toMatch(/^[0-9a-f]{64}$/);
  });

  it('comes in the order of its files: 7, 2, 1, 0, 4, pixels in [0,1]', async () => {
    const examples = await take(await openMnist('test'), { images: 5 });
    expect(examples.map(({ label }) => label)).toEqual([7, 2, 1, 0, 4]);
    expect(idsOf(examples)).toEqual([0, 1, 2, 3, 4].map((i) => `mnist/test/${i}`));
    for (const { image } of examples) {
      expect(image).toHaveLength(28 * 28);
      expect(Math.min(...image)).toBe(0);
      expect(Math.max(...image)).toBeGreaterThan(0.99);
      expect(Math.max(...image)).toBeLessThanOrEqual(1);
    }
    // The seven's top bar starts at row 7, column 6, with grey 84 of 255.
    expect(examples[0]?.image[7 * 28 + 6]).toBe(Math.fround(84 / 255));
  });

  it('in a seeded order has every image once, the same each time, and another order for another seed', async () => {
    const test = await openMnist('test');
    const order = idsOf(await take(test, { seed: 1 }));
    expect(new Set(order).size).toBe(10_000);
    expect(idsOf(await take(test, { seed: 1, images: 50 }))).toEqual(order.slice(0, 50));
    expect(idsOf(await take(test, { seed: 2, images: 50 }))).not.toEqual(order.slice(0, 50));
    const train = await openMnist('train');
    expect(idsOf(await take(train, { seed: 1, images: 50 })).map(numberOf)).not.toEqual(
      order.slice(0, 50).map(numberOf),
    );
  });

  it('gives an image the same pixels and label in any order', async () => {
    const test = await openMnist('test');
    const [shuffled] = await take(test, { seed: 3, images: 1 });
    const inOrder = await take(test, { images: numberOf(shuffled?.id ?? '') + 1 });
    expect(inOrder.at(-1)).toEqual(shuffled);
  });

  it('closes its files when a reader stops early', async () => {
    const test = await openMnist('test');
    const open = openFiles();
    for await (const { label } of test.stream()) if (label === 0) break;
    expect(openFiles()).toBe(open);
  });

  it.each([0, -1, 1.5, 10_001, Number.NaN])('refuses to stream %s images', async (images) => {
    const test = await openMnist('test');
    await expect(take(test, { images })).rejects.toThrow(/mnist\/test has 10000 images/);
  });
});

const numberOf = (id: string): number => Number(id.split('/').at(-1));
const openFiles = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

const IMAGES = 't10k-images-idx3-ubyte';
const LABELS = 't10k-labels-idx1-ubyte';

function idx(sizes: readonly number[], data: readonly number[], magic = 0x0800 + sizes.length): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
  [magic, ...sizes].forEach((word, i) => {
    head.setUint32(4 * i, word);
  });
  return Uint8Array.of(...new Uint8Array(head.buffer), ...data);
}

const blank = (count: number): number[] => Array<number>(count * 28 * 28).fill(0);

describe('a folder of idx files', () => {
  const put = (images: Uint8Array, labels: Uint8Array) => {
    writeFileSync(join(folder, IMAGES), images);
    writeFileSync(join(folder, LABELS), labels);
  };
  beforeEach(() => put(idx([2, 28, 28], blank(2)), idx([2], [3, 9])));

  it('is read as a dataset', async () => {
    const dataset = await openMnist('test', folder);
    expect((await take(dataset)).map(({ label }) => label)).toEqual([3, 9]);
  });

  it.each<[string, Uint8Array, Uint8Array, RegExp]>([
    ['an empty file of images', new Uint8Array(), idx([2], [3, 9]), /images.*not an idx file/],
    ['labels in place of images', idx([2], [3, 9]), idx([2], [3, 9]), /images.*not an idx file/],
    ['another magic number', idx([2, 28, 28], blank(2), 0x0d03), idx([2], [3, 9]), /images.*not an idx file/],
    ['images of another size', idx([2, 14, 56], blank(2)), idx([2], [3, 9]), /images of 14x56/],
    ['images cut short', idx([2, 28, 28], blank(1)), idx([2], [3, 9]), /images.*promises 1584 bytes and it has 800/],
    ['a claim of four billion images', idx([2 ** 32 - 1, 28, 28], []), idx([2], [3, 9]), /images.*damaged/],
    ['too few labels', idx([2, 28, 28], blank(2)), idx([1], [3]), /labels.*has 1 labels for 2 images/],
    ['labels with bytes too many', idx([2, 28, 28], blank(2)), idx([2], [3, 9, 1]), /labels.*damaged/],
  ])('with %s is refused, by name, and no file stays open', async (_what, images, labels, message) => {
    put(images, labels);
    const open = openFiles();
    const error = await openMnist('test', folder).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toMatch(message);
    expect(openFiles()).toBe(open);
  });

  it('with a label that is no digit is refused at that image', async () => {
    put(idx([2, 28, 28], blank(2)), idx([2], [3, 10]));
    const dataset = await openMnist('test', folder);
    expect(await take(dataset, { images: 1 })).toHaveLength(1);
    await expect(take(dataset)).rejects.toThrow(/label 1 is 10/);
  });

  it('that lacks them is refused, naming the file', async () => {
    await expect(openMnist('train', folder)).rejects.toThrow(/cannot read .*train-images-idx3-ubyte: no such file/);
  });

  it('with random bytes is read or refused, and nothing else ever happens', async () => {
    const whole = idx([2, 28, 28], blank(2));
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.nat(255), async (position, value) => {
        put(whole.with(position, value), idx([2], [3, 9]));
        const outcome = await openMnist('test', folder).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, batchesPerEpoch, epochBatches, holdOut, toBatch } from '../../src/train/batches.ts';
import { tinyDataset } from './tiny.ts';

async function collect(options: Partial<Parameters<typeof epochBatches>[1]> = {}, size = 20): Promise<Batch[]> {
  const batches: Batch[] = [];
  const defaults = { heldOut: new Set<string>(), size: 4, seed: 0, epoch: 0, from: 0 };
  for await (const batch of epochBatches(tinyDataset(size), { ...defaults, ...options })) batches.push(batch);
  return batches;
}
const idsOf = (batches: readonly Batch[]): string[] => batches.flatMap(({ ids }) => ids);

describe('an epoch', () => {
  it('visits no image twice and no held-out one, in as many full batches as fit', async () => {
    const law = fc.asyncProperty(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 0, max: 8 }),
      fc.nat(100),
      async (size, images, seed) => {
        const dataset = tinyDataset(20);
        const heldOut = new Set((await holdOut(dataset, images)).map(({ id }) => id));
        const batches = await collect({ heldOut, size, seed });
        const ids = idsOf(batches);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.filter((id) => heldOut.has(id))).toEqual([]);
        expect(batches.length).toBe(batchesPerEpoch(dataset, images, size));
        expect(batches.map(({ index }) => index)).toEqual(batches.map((_, i) => i));
        expect(batches.every(({ y, x }) => y.length === size && x.length === size * 36)).toBe(true);
      },
    );
    await fc.assert(law, { numRuns: 30 });
  });

  it('is the same for the same seed, and another for another seed or epoch', async () => {
    const order = idsOf(await collect({ seed: 3, epoch: 1 }));
    expect(idsOf(await collect({ seed: 3, epoch: 1 }))).toEqual(order);
    expect(idsOf(await collect({ seed: 4, epoch: 1 }))).not.toEqual(order);
    expect(idsOf(await collect({ seed: 3, epoch: 2 }))).not.toEqual(order);
  });

  it('goes on from any batch with exactly the batches that were left', async () => {
    const all = await collect();
    for (let from = 0; from <= all.length; from++) expect(await collect({ from })).toEqual(all.slice(from));
  });

  it('may give each batch several times, one after the other, and goes on in the middle of them', async () => {
    const once = await collect();
    const all = await collect({ replays: 3 });
    expect(all).toEqual(
      once.flatMap((batch, i) => [0, 1, 2].map((replay) => ({ ...batch, index: 3 * i + replay, replay }))),
    );
    for (let from = 0; from <= all.length; from++) {
      expect(await collect({ replays: 3, from })).toEqual(all.slice(from));
    }
  });

  it('that has no full batch is refused with the numbers', () => {
    expect(() => batchesPerEpoch(tinyDataset(20), 14, 8)).toThrow(
      /a batch of 8 does not fit.*20 images and 14.*smaller --batch or --validation/,
    );
  });
});

describe('a validation set', () => {
  it('is the same sample whatever else is asked for, and its beginning when smaller', async () => {
    const ten = await holdOut(tinyDataset(), 10);
    expect(await holdOut(tinyDataset(), 4)).toEqual(ten.slice(0, 4));
    expect(await holdOut(tinyDataset(), 0)).toEqual([]);
  });

  it('fills its last batch by repeating the last image', async () => {
    const three = await holdOut(tinyDataset(), 3);
    const { ids, y } = toBatch(three, 0, 5);
    expect(ids).toEqual([...three.map(({ id }) => id), three[2]?.id, three[2]?.id]);
    expect(y.length).toBe(5);
  });
});

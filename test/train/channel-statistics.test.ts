import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/core/dataset.ts';
import { holdOut } from '../../src/train/batches.ts';
import { channelStatistics, deviationsOf } from '../../src/train/channel-statistics.ts';
import { tinyDataset } from './tiny.ts';

/** A dataset of these images, two pixels each, in the order of the list whatever the seed. */
const datasetOf = (images: readonly (readonly number[])[], channels: number): Dataset => ({
  ...tinyDataset(images.length),
  input: [1, 2, channels],
  async *stream({ images: count = images.length } = {}) {
    for (const [i, image] of images.slice(0, count).entries()) {
      yield { image: Float32Array.from(image), label: 0, id: String(i) };
    }
  },
});

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe('the statistics of the channels', () => {
  it('are mean and covariance over all pixels, by their definitions', async () => {
    const image = fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 });
    const law = fc.asyncProperty(fc.array(image, { minLength: 1, maxLength: 20 }), async (images) => {
      const found = await channelStatistics(datasetOf(images, 3), 0);
      const channel = (c: number): number[] => images.flatMap((one) => [one[c] as number, one[c + 3] as number]);
      for (const c of [0, 1, 2]) {
        const own = channel(c);
        expect(found.mean[c]).toBeCloseTo(mean(own), 10);
        for (const d of [0, 1, 2]) {
          const other = channel(d);
          const products = own.map((v, i) => (v - mean(own)) * ((other[i] as number) - mean(other)));
          expect(found.covariance[c]?.[d]).toBeCloseTo(mean(products), 10);
        }
      }
    });
    await fc.assert(law, { numRuns: 30 });
  });

  it('give a channel that never changes the deviation 1, so that it can be divided by', async () => {
    const statistics = await channelStatistics(datasetOf(Array(50).fill([0.1, 0.2, 0.1, 0.4]), 2), 0);
    expect(deviationsOf(statistics)).toEqual([1, expect.closeTo(0.1, 6)]);
  });

  it('leave the validation images alone', async () => {
    const dataset = tinyDataset(30);
    const heldOut = new Set((await holdOut(dataset, 10)).map(({ id }) => id));
    const seen: number[] = [];
    for await (const { id, image } of dataset.stream()) if (!heldOut.has(id)) seen.push(...image);
    expect((await channelStatistics(dataset, 10)).mean[0]).toBeCloseTo(mean(seen), 10);
    await expect(channelStatistics(dataset, 30)).rejects.toThrow(/tiny has no image beside the 30 that are held out/);
  });
});

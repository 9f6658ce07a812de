import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { datasetNames, openDataset } from '../../src/data/registry.ts';

describe('datasets by name', () => {
  it.each(datasetNames)('%s opens, and says its own name and split', async (name) => {
    for (const split of ['train', 'test'] as const) {
      const dataset = await openDataset(name, split);
      expect([dataset.name, dataset.split]).toEqual([name, split]);
      expect(dataset.size).toBeGreaterThan(0);
    }
  });

  it.each([
    ['cifar10', /cifar10 is not available yet; this version has: mnist/],
    ['fashion-mnist', /not available yet/],
    [tmpdir(), /a folder of images as a dataset is not available yet/],
    ['./nowhere', /a folder of images as a dataset is not available yet/],
    ['minst', /unknown dataset "minst". Did you mean "mnist"\?/],
    ['toString', /unknown dataset/],
  ])('%s is refused in one line that says what there is', async (name, message) => {
    const error = await openDataset(name, 'test').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) });
  });
});

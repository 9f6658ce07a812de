import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { datasetNames, openDataset } from '../../src/data/registry.ts';
import { put, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const FORM = { input: [8, 8, 3], resize: 10, classes: ['a', 'b'] } as const;

describe('datasets by name', () => {
  beforeEach(() => vi.stubEnv('GIBBON_HOME', join(folder, 'home')));
  afterEach(() => vi.unstubAllEnvs());

  it('are mnist, which is always there, and two that are fetched once', () => {
    expect(datasetNames).toEqual(['mnist', 'fashion-mnist', 'cifar10']);
  });

  it.each(['train', 'test'] as const)('mnist opens, and says its own name and split: %s', async (split) => {
    const dataset = await openDataset('mnist', split);
    expect([dataset.name, dataset.split]).toEqual(['mnist', split]);
    expect(dataset.size).toBeGreaterThan(0);
  });

  it('cifar10 that is not there is looked for in GIBBON_HOME', async () => {
    const error = await openDataset('cifar10', 'test').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'failed', message: expect.stringContaining(join(folder, 'home', 'cifar10')) });
  });

  it.each([
    ['minst', /unknown dataset "minst". Did you mean "mnist"\?/],
    ['toString', /unknown dataset.*a folder of images/],
    ['', /unknown dataset ""/],
    ['a\0b', /unknown dataset/],
  ])('%j is refused in one line that says what there is', async (name, message) => {
    const error = await openDataset(name, 'test', FORM).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ kind: 'usage', message: expect.stringMatching(message) });
  });
});

describe('a path', () => {
  it('opens the folder there', async () => {
    await put(join(folder, 'photos', 'x.png'));
    const dataset = await openDataset(join(folder, 'photos'), 'test', FORM);
    expect([dataset.name, dataset.size]).toEqual(['photos', 1]);
  });

  it('is refused without a network that takes photographs, and where nothing is', async () => {
    await expect(openDataset(folder, 'test')).rejects.toThrow(/is a folder of images, and no network is given/);
    await expect(openDataset(join(folder, 'nowhere'), 'test', FORM)).rejects.toThrow(
      /cannot read .*nowhere: no such file/,
    );
  });
});

import { existsSync } from 'node:fs';
import type { Dataset } from '../core/dataset.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { openMnist } from './mnist.ts';

export type Split = 'train' | 'test';

const DATASETS: Readonly<Record<string, (split: Split) => Promise<Dataset>>> = {
  mnist: (split) => openMnist(split),
};

/** Names that `openDataset` opens. */
export const datasetNames: readonly string[] = Object.keys(DATASETS);

/** Names that are promised, so that asking for one is not answered as if it were misspelt. */
const PLANNED: readonly string[] = ['fashion-mnist', 'cifar10'];

/**
 * A dataset by name.
 *
 * @throws UserError (usage) for an unknown name or one that is yet to come; UserError if its files are missing or damaged
 */
export async function openDataset(name: string, split: Split): Promise<Dataset> {
  if (Object.hasOwn(DATASETS, name)) return (DATASETS[name] as (typeof DATASETS)[string])(split);
  const available = `this version has: ${datasetNames.join(', ')}`;
  if (PLANNED.includes(name)) throw usageError(`the dataset ${name} is not available yet; ${available}`);
  if (/[/\\]/.test(name) || existsSync(name)) {
    throw usageError(`${name}: a folder of images as a dataset is not available yet; ${available}`);
  }
  throw unknownName('dataset', name, datasetNames);
}

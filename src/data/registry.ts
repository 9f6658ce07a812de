import { statSync } from 'node:fs';
import type { Dataset, PhotoForm } from '../core/dataset.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { openCifar10 } from './cifar10.ts';
import { openFashionMnist } from './fashion-mnist.ts';
import { openFolder } from './folder.ts';
import { openMnist } from './mnist.ts';

export { openPhotos } from './photo-files.ts';

export type Split = 'train' | 'test';

const DATASETS: Readonly<Record<string, (split: Split) => Promise<Dataset>>> = {
  mnist: (split) => openMnist(split),
  'fashion-mnist': (split) => openFashionMnist(split),
  cifar10: (split) => openCifar10(split),
};

/** Names that `openDataset` opens. */
export const datasetNames: readonly string[] = Object.keys(DATASETS);

/**
 * A dataset by its name, or the folder of photographs at a path. Names come first: `./mnist` is a folder.
 *
 * @param photos - what the network takes; a folder of photographs cannot be opened without
 * @throws UserError (usage) for an unknown name; UserError if files are missing or damaged
 */
export async function openDataset(name: string, split: Split, photos?: PhotoForm): Promise<Dataset> {
  if (Object.hasOwn(DATASETS, name)) return (DATASETS[name] as (typeof DATASETS)[string])(split);
  requireDatasetName(name);
  if (photos !== undefined) return openFolder(name, split, photos);
  throw usageError(`${name} is a folder of images, and no network is given that takes photographs`);
}

/** @throws UserError (usage) for a word that is neither a dataset's name nor a path */
export function requireDatasetName(name: string): void {
  if (datasetNames.includes(name) || /[/\\]/.test(name) || isFolder(name)) return;
  throw unknownName('dataset', name, [...datasetNames, 'a folder of images']);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

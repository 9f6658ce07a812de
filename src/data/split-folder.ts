import { join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { DEVKIT } from './imagenet-validation.ts';
import { entriesOf } from './listing.ts';

const SPLIT_NAMES: readonly string[] = ['train', 'val', 'test'];

export const isSplitName = (name: string): boolean => SPLIT_NAMES.includes(name);

/**
 * Which of `train`, `val` and `test` below a folder to take. They count only where there are no other folders, for `train`
 * may as well be a class. Measuring takes `test`, but `val` where `test` has no class folders, as ImageNet's has none.
 *
 * @returns undefined if the folder is not divided
 * @throws UserError if it is, and lacks what is asked for
 */
export function splitFolder(folder: string, split: 'train' | 'test'): string | undefined {
  const names = splitsOf(folder);
  if (names.length === 0) return undefined;
  const candidates = (split === 'train' ? ['train'] : ['test', 'val']).filter((name) => names.includes(name));
  const best = candidates.find((name) => foldersIn(join(folder, name)).length > 0) ?? candidates[0];
  if (best !== undefined) return best;
  const missing = split === 'train' ? 'no train' : 'neither test nor val';
  throw new UserError(`${folder} has ${names.join(' and ')}, and ${missing}`);
}

/** Whether a folder is divided, and into a `train` among others. */
export const hasTrain = (folder: string): boolean => splitsOf(folder).includes('train');

/** The splits that a folder is divided into: none if it is not. */
function splitsOf(folder: string): readonly string[] {
  const names = foldersIn(folder).filter((name) => name !== DEVKIT);
  return names.every(isSplitName) ? names : [];
}

const foldersIn = (folder: string): readonly string[] =>
  entriesOf(folder)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

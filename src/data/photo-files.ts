import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Dataset, PhotoForm } from '../core/dataset.ts';
import { UserError, usageError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { photoDataset } from './photos.ts';
import { requirePhotoForm } from './read-photo.ts';

/**
 * Photographs that were named one by one, in that order. Their labels are not known.
 *
 * @param files - paths; one that is named twice counts once
 * @throws UserError if one is missing or not a file, or none was named
 */
export async function openPhotos(files: readonly string[], form: PhotoForm): Promise<Dataset> {
  requirePhotoForm(form);
  const paths = [...new Set(files.map((file) => resolve(file)))];
  const names = paths.map((path) => basename(path));
  return photoDataset({
    ...{ name: 'photos', split: 'all', form, labels: 'predicted' },
    files: paths.map((path, i) => {
      const name = names[i] as string;
      const isUnique = names.indexOf(name) === names.lastIndexOf(name);
      return { id: isUnique ? name : path.replaceAll('\\', '/'), path, bytes: sizeOf(path), label: -1 };
    }),
  });
}

function sizeOf(path: string): number {
  let isFolder = false;
  try {
    const stats = statSync(path);
    if (stats.isFile()) return stats.size;
    isFolder = stats.isDirectory();
  } catch (error) {
    throw fileError('read', path, error);
  }
  if (isFolder) throw usageError(`${path} is a folder: --dataset takes all photographs in it, --images single ones`);
  throw new UserError(`${path} is not a file`);
}

/** A folder of photographs as a dataset: class folders, ImageNet's validation images, or photographs without labels. */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Dataset, PhotoForm } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { isSameName, matchFolders } from './class-folders.ts';
import { IMAGENET_CLASSES, isWnid } from './imagenet-classes.ts';
import { DEVKIT, validationLabels, validationNumber } from './imagenet-validation.ts';
import { byCodeUnit, type ListedFile, listFiles } from './listing.ts';
import { type PhotoFile, photoDataset } from './photos.ts';
import { requirePhotoForm } from './read-photo.ts';
import { isSplitName, splitFolder } from './split-folder.ts';

/**
 * Opens a folder of photographs. With `train`, `val` or `test` below it, one of them is taken.
 *
 * @param split - which one; a folder that is not divided is taken whole
 * @param form - what the network takes
 * @throws UserError if it cannot be read, has no such split, no file, or classes that the network does not know
 */
export async function openFolder(folder: string, split: 'train' | 'test', form: PhotoForm): Promise<Dataset> {
  requirePhotoForm(form);
  requireFolder(folder);
  const part = splitFolder(folder, split);
  const chosen = part === undefined ? folder : join(folder, part);
  const files = listFiles(chosen, (name) => name === DEVKIT);
  return photoDataset({ ...namesOf(folder, part), ...(await labelled(files, chosen, form)) });
}

function requireFolder(folder: string): void {
  try {
    if (statSync(folder).isDirectory()) return;
  } catch (error) {
    throw fileError('read', folder, error);
  }
  throw new UserError(`${folder} is a file, not a folder of images; single photographs are given by --images`);
}

/** `imagenette2` and `val`, whether the folder was given or its `val`. */
function namesOf(folder: string, part: string | undefined): { readonly name: string; readonly split: string } {
  const path = resolve(folder);
  if (part !== undefined) return { name: basename(path), split: part };
  const parent = basename(dirname(path));
  if (isSplitName(basename(path)) && parent !== '') return { name: parent, split: basename(path) };
  return { name: basename(path), split: 'all' };
}

interface Labelled {
  readonly form: PhotoForm;
  readonly labels: 'true' | 'predicted';
  readonly files: readonly PhotoFile[];
  readonly notes?: readonly string[];
}

async function labelled(files: readonly ListedFile[], folder: string, form: PhotoForm): Promise<Labelled> {
  if (files.some(({ id }) => classFolderOf(id) !== undefined)) return byClassFolder(files, folder, form);
  if (files.some(({ id }) => validationNumber(id) !== undefined)) {
    return { form, labels: 'true', files: await byDevkit(files, folder, form) };
  }
  return { form, labels: 'predicted', files: files.map((file) => ({ ...file, label: -1 })) };
}

/** The first folder on the way to a file. */
const classFolderOf = (id: string): string | undefined => (id.includes('/') ? id.slice(0, id.indexOf('/')) : undefined);

function byClassFolder(files: readonly ListedFile[], folder: string, form: PhotoForm): Labelled {
  // Sorted as folders, not as paths: in those a `/` follows the name, and comes after a space or a hyphen.
  const names = [...new Set(files.flatMap(({ id }) => classFolderOf(id) ?? []))].sort(byCodeUnit);
  const indices = matchFolders(names, form.classes, folder);
  const labels = new Map(names.map((name, i) => [name, indices[i] as number]));
  return {
    form: form.classes.length > 0 ? form : { ...form, classes: names },
    labels: 'true',
    notes: notesOnMatching(names, indices, form.classes, folder),
    files: files.map((file) => {
      const label = labels.get(classFolderOf(file.id) ?? '');
      return label === undefined ? unlabelled(file, 'it lies beside the class folders') : { ...file, label };
    }),
  };
}

/** Folders that were matched by their place are told: nothing in their names says that they are those classes. */
function notesOnMatching(
  names: readonly string[],
  indices: readonly number[],
  classes: readonly string[],
  folder: string,
): string[] {
  const pairs = names.flatMap((name, i) => {
    const known = classes[indices[i] as number];
    return known === undefined || isWnid(name) || isSameName(name, known) ? [] : [`${name} for ${known}`];
  });
  if (pairs.length === 0) return [];
  const more = pairs.length > TOLD_PAIRS ? ', …' : '';
  return [`${folder}: class folders are taken in their order, ${pairs.slice(0, TOLD_PAIRS).join(', ')}${more}`];
}

const TOLD_PAIRS = 3;

/** A file that has no place among the labelled ones. */
const unlabelled = (file: ListedFile, why: string): PhotoFile => ({ refused: why, ...file, label: -1 });

async function byDevkit(files: readonly ListedFile[], folder: string, { classes }: PhotoForm): Promise<PhotoFile[]> {
  if (classes.length !== IMAGENET_CLASSES.length) {
    throw new UserError(`${folder} holds ImageNet's validation images, and the network has ${classes.length} classes`);
  }
  const labels = await validationLabels(folder);
  return files.map((file) => {
    const number = validationNumber(file.id);
    if (number === undefined) return unlabelled(file, 'it is none of the validation images');
    const label = labels[number - 1];
    return label === undefined ? unlabelled(file, `there are labels for ${labels.length} images`) : { ...file, label };
  });
}

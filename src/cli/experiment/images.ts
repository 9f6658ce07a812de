/** Which images a run measures on: a dataset by name, a folder, or single photographs. */
import { existsSync } from 'node:fs';
import type { Dataset, PhotoForm } from '../../core/dataset.ts';
import { UserError, usageError } from '../../core/errors.ts';
import { parseNumber } from '../../core/params.ts';
import { datasetNames, openDataset, openPhotos } from '../../data/registry.ts';
import { hasTrain } from '../../data/split-folder.ts';
import type { Flag } from '../flags.ts';
import type { Opened } from './opened.ts';

/** How many images are measured where nobody says. */
const USUAL = 1000;

/** A number of images, or the photographs themselves. */
export type Images = number | readonly string[] | null;

export const imagesFlag: Flag<Images> = {
  default: null,
  label: 'how many test images; or photographs (more may follow as plain words)',
  accepts: 'a whole number, at least 1, or names of photographs',
  number: { whole: true, min: 1 },
  list: true,
  shown: `${USUAL}, or as many as there are`,
  parse: (given) => {
    const number = parseNumber(given);
    if (number !== undefined) return Number.isSafeInteger(number) && number >= 1 ? number : undefined;
    const words = Array.isArray(given) ? given : [given];
    const isPhoto = (word: unknown): word is string => typeof word === 'string' && /[^\d\s.,+-]/.test(word);
    return words.length > 0 && words.every(isPhoto) ? words : undefined;
  },
};

/**
 * @param words - plain words of the command line: photographs, after `--images` has named the first
 * @throws UserError (usage) for words without it, for `--dataset` beside photographs, and for photographs that are not there
 */
export function photographsOf(images: Images, words: readonly string[], isDatasetGiven: boolean): readonly string[] {
  const [first] = words;
  if (images === null || typeof images === 'number') {
    if (first === undefined) return [];
    throw usageError(
      `unexpected word "${first}": photographs follow --images, commas separate the members of a list, all else is a flag. ` +
        '--help lists them all',
    );
  }
  if (isDatasetGiven) throw usageError('--images names photographs, so --dataset has no say; give one of the two');
  const photographs = [...images, ...words];
  const absent = photographs.find((path) => !existsSync(path));
  if (absent === undefined) return photographs;
  throw usageError(`--images ${absent}: no such photograph, and no whole number either`);
}

/** How many images of the dataset are measured. @throws UserError (usage) if more are asked for than there are */
export function countOf(images: Images, { name, split, size }: Dataset): number {
  if (typeof images !== 'number') return images === null ? Math.min(USUAL, size) : size;
  if (images <= size) return images;
  throw usageError(`--images ${images}: the ${split} split of ${name} has ${size} images`);
}

/**
 * Opens the images in the form that the networks take.
 *
 * @throws UserError if they cannot be opened, or networks that must share them take different ones
 */
export function openImages(
  dataset: string,
  photographs: readonly string[],
  opened: readonly Opened[],
): Promise<Dataset> {
  if (photographs.length > 0) return openPhotos(photographs, photoForm(opened));
  return datasetNames.includes(dataset)
    ? openDataset(dataset, 'test')
    : openDataset(dataset, 'test', photoForm(opened));
}

/**
 * Opens the training split of the images that are measured, for attacks that are fitted first.
 *
 * @returns undefined for photographs and for a folder that has none
 * @throws UserError if its files are missing or damaged
 */
export async function openFitImages(
  dataset: string,
  photographs: readonly string[],
  opened: readonly Opened[],
): Promise<Dataset | undefined> {
  if (photographs.length > 0) return undefined;
  if (datasetNames.includes(dataset)) return openDataset(dataset, 'train');
  return hasTrain(dataset) ? openDataset(dataset, 'train', photoForm(opened)) : undefined;
}

/** The one form in which all networks take photographs. */
function photoForm(opened: readonly Opened[]): PhotoForm {
  const forms = opened.map((one): PhotoForm & Pick<Opened, 'path'> => {
    const { input, classes } = one.contender.classifier;
    return {
      path: one.path,
      input,
      resize: one.resize ?? Math.max(input[0], input[1]),
      classes: one.classNames ?? Array.from({ length: classes }, (_, i) => String(i)),
    };
  });
  const words = ({ input, resize }: PhotoForm): string => `${input.join('x')} cut out of ${resize} pixels`;
  const [first] = forms as [(typeof forms)[number]];
  const other = forms.find((form) => words(form) !== words(first));
  if (other === undefined) return first;
  throw new UserError(
    `${first.path} takes ${words(first)} and ${other.path} ${words(other)}: networks of one run see the same images; ` +
      'run them one after the other',
  );
}

/**
 * ImageNet's validation images as they are distributed: 50,000 files in one folder, labelled by the development kit, whose
 * numbers for the classes are not those that networks use. The kit's `meta.mat` says which WordNet id a number means.
 *
 * ILSVRC2012 development kit, readme.txt, section 3.
 */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { imagenetIndex } from './imagenet-classes.ts';
import { type MatlabRecord, readMatlab } from './matlab.ts';

/** The folder that the development kit unpacks to. */
export const DEVKIT = 'ILSVRC2012_devkit_t12';

const GROUND_TRUTH = join('data', 'ILSVRC2012_validation_ground_truth.txt');
const META = join('data', 'meta.mat');
/** Many times what either file has. */
const FILE_LIMIT = 2 ** 26;
const CLASSES = 1000;

/** The number of a validation image, from 1: `ILSVRC2012_val_00000001.JPEG` is the first. Undefined for other files. */
export function validationNumber(file: string): number | undefined {
  const [, digits] = /^ILSVRC2012_val_(\d{8})\.jpe?g$/i.exec(file) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The classes of the validation images, by their numbers less 1.
 *
 * @param folder - of the images; the kit lies in it or beside it
 * @throws UserError if it is not there or damaged
 */
export async function validationLabels(folder: string): Promise<readonly number[]> {
  const places = [join(folder, DEVKIT), join(dirname(folder), DEVKIT)];
  const kit = places.find((place) => existsSync(place));
  if (kit === undefined) {
    throw new UserError(
      `${folder} holds ImageNet's validation images without their labels: put ${DEVKIT} (ILSVRC2012_devkit_t12.tar.gz ` +
        'of https://image-net.org, unpacked) into it or beside it, or sort the images into class folders',
    );
  }
  const indices = indicesById(await readSmall(join(kit, META)), join(kit, META));
  const path = join(kit, GROUND_TRUTH);
  const lines = (await readSmall(path)).toString('latin1').trimEnd().split(/\r?\n/);
  return lines.map((line, i) => {
    const index = /^\d+$/.test(line) ? indices.get(Number(line)) : undefined;
    if (index !== undefined) return index;
    throw new UserError(
      `${path} is damaged: line ${i + 1} is no number of a class: ${JSON.stringify(line.slice(0, 40))}`,
    );
  });
}

async function readSmall(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size <= FILE_LIMIT) return await readFile(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
  throw new UserError(`${path} is damaged: it is longer than ${FILE_LIMIT} bytes`);
}

/** The class of each of the kit's numbers 1 to 1000; higher ones stand for groups of classes. */
function indicesById(content: Uint8Array, path: string): ReadonlyMap<number, number> {
  const synsets = readMatlab(content, path).get('synsets');
  if (synsets?.kind !== 'records') throw new UserError(`${path} is damaged: it has no list of synsets`);
  const indices = new Map<number, number>();
  for (const synset of synsets.records) {
    const { id, wnid } = identify(synset, path);
    const index = imagenetIndex(wnid);
    if (id <= CLASSES && index !== undefined) indices.set(id, index);
  }
  if (indices.size === CLASSES && new Set(indices.values()).size === CLASSES) return indices;
  throw new UserError(`${path} is damaged: it names ${indices.size} of ImageNet's ${CLASSES} classes`);
}

function identify({ ILSVRC2012_ID, WNID }: MatlabRecord, path: string): { readonly id: number; readonly wnid: string } {
  if (ILSVRC2012_ID?.kind === 'numbers' && WNID?.kind === 'text') {
    return { id: ILSVRC2012_ID.values[0] ?? 0, wnid: WNID.text };
  }
  throw new UserError(`${path} is damaged: a synset lacks ILSVRC2012_ID or WNID`);
}

/** Datasets in the form that MNIST was given: a file of 28x28 grey images and a file of labels, both idx. */
import type { Dataset, Example, StreamOptions } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { hashFiles } from './hash-files.ts';
import { type IdxFile, openIdx } from './idx.ts';
import { orderOf } from './order.ts';
import { toUnit } from './to-unit.ts';

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const FILE_PREFIX = { train: 'train', test: 't10k' } as const;

export type IdxSplit = keyof typeof FILE_PREFIX;

/** The file of images and the file of labels. */
export interface IdxPaths {
  readonly images: string;
  readonly labels: string;
}

/** What the files of a split are called: `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`. */
export const idxNames = (split: IdxSplit): IdxPaths => ({
  images: `${FILE_PREFIX[split]}-images-idx3-ubyte`,
  labels: `${FILE_PREFIX[split]}-labels-idx1-ubyte`,
});

export interface IdxImages {
  readonly name: string;
  readonly split: IdxSplit;
  readonly classes: readonly string[];
  readonly paths: IdxPaths;
}

/**
 * Opens a split. Streaming it holds one image at a time, and the unpacked files where they are packed.
 *
 * @throws UserError naming the file that is missing or damaged
 */
export async function openIdxImages(files: IdxImages): Promise<Dataset> {
  const { name, split, classes, paths } = files;
  const [images, labels] = await openBoth(paths);
  await Promise.all([images.close(), labels.close()]);
  const size = images.shape[0] as number;
  return {
    name,
    split,
    classes,
    input: [SIDE, SIDE, 1],
    size,
    hash: () => hashFiles([paths.images, paths.labels]),
    stream: (options) => stream(files, size, options),
  };
}

/** Both files, open, checked against each other; the caller closes them. */
async function openBoth(paths: IdxPaths): Promise<readonly [images: IdxFile, labels: IdxFile]> {
  const images = await openIdx(paths.images, 3);
  const labels = await openIdx(paths.labels, 1).catch(async (error) => {
    await images.close();
    throw error;
  });
  const [count, height, width] = images.shape;
  let problem: string | undefined;
  if (height !== SIDE || width !== SIDE) problem = `${paths.images} holds images of ${height}x${width}, not 28x28`;
  else if (count !== labels.shape[0]) problem = `${paths.labels} has ${labels.shape[0]} labels for ${count} images`;
  if (problem === undefined) return [images, labels];
  await Promise.all([images.close(), labels.close()]);
  throw new UserError(problem);
}

async function* stream(
  { name, split, classes, paths }: IdxImages,
  size: number,
  options: StreamOptions = {},
): AsyncGenerator<Example> {
  const order = orderOf(`${name}/${split}`, size, options);
  const [images, labels] = await openBoth(paths);
  try {
    const bytes = new Uint8Array(PIXELS);
    const label = new Uint8Array(1);
    for (const record of order) {
      images.read(record, bytes, 0);
      labels.read(record, label, 0);
      yield {
        image: toUnit(bytes),
        label: requireClass(label[0] as number, record, paths.labels, classes),
        id: `${name}/${split}/${record}`,
      };
    }
  } finally {
    await Promise.all([images.close(), labels.close()]);
  }
}

/**
 * A label, if there is a class for it.
 *
 * @throws UserError naming the file and the record
 */
export function requireClass(label: number, record: number, path: string, classes: readonly string[]): number {
  if (label < classes.length) return label;
  throw new UserError(`${path} is damaged: label ${record} is ${label}, and there are ${classes.length} classes`);
}

/**
 * CIFAR-10: 50,000 and 10,000 colour photographs of ten kinds of things, 32x32, in the binary version: records of a byte
 * for the label, then 1,024 bytes each of red, green and blue, row by row.
 *
 * Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, chapter 3; https://www.cs.toronto.edu/~kriz/cifar.html
 */
import { existsSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset, Example, StreamOptions } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { gibbonHome } from '../core/home.ts';
import { hashFiles } from './hash-files.ts';
import { requireClass } from './idx-images.ts';
import { orderOf } from './order.ts';

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'] as const;
const FILES = {
  train: ['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin', 'data_batch_4.bin', 'data_batch_5.bin'],
  test: ['test_batch.bin'],
} as const;
const SOURCE = 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz';
/** The folder that the archive unpacks to. */
const ARCHIVE_FOLDER = 'cifar-10-batches-bin';

const SIDE = 32;
const CHANNELS = 3;
const PLANE = SIDE * SIDE;
const RECORD = 1 + CHANNELS * PLANE;
const RECORDS_PER_FILE = 10_000;

export type CifarSplit = keyof typeof FILES;

/**
 * Opens a split of CIFAR-10. Streaming it holds one image at a time.
 *
 * @param folder - where the archive was unpacked; `cifar10` in Gibbon's home by default
 * @throws UserError if it is not there, with where to get it and where to put it; or naming the file that is damaged
 */
export async function openCifar10(split: CifarSplit, folder: string = join(gibbonHome(), 'cifar10')): Promise<Dataset> {
  const inner = join(folder, ARCHIVE_FOLDER);
  const base = existsSync(inner) ? inner : folder;
  const paths = FILES[split].map((file) => join(base, file));
  if (!paths.some((path) => existsSync(path))) {
    throw new UserError(
      `cifar10 is not on this computer: unpack ${SOURCE} so that ${join(inner, FILES[split][0])} exists. ` +
        'Without it, --dataset mnist runs',
    );
  }
  await closeAll(await openAll(paths));
  const size = RECORDS_PER_FILE * paths.length;
  return {
    name: 'cifar10',
    split,
    classes: CLASSES,
    input: [SIDE, SIDE, CHANNELS],
    size,
    hash: () => hashFiles(paths),
    stream: (options) => stream(split, paths, size, options),
  };
}

interface Batch {
  readonly path: string;
  readonly file: FileHandle;
}

const closeAll = async (batches: readonly Batch[]): Promise<void> => {
  for (const { file } of batches) await file.close();
};

/** All files of a split, open, each of the right size; the caller closes them. */
async function openAll(paths: readonly string[]): Promise<Batch[]> {
  const batches: Batch[] = [];
  try {
    for (const path of paths) {
      const batch = {
        path,
        file: await open(path, 'r').catch((error) => Promise.reject(fileError('read', path, error))),
      };
      batches.push(batch);
      const { size } = await batch.file.stat();
      if (size === RECORD * RECORDS_PER_FILE) continue;
      throw new UserError(
        `${path} is damaged: it has ${size} bytes, and 10,000 images take ${RECORD * RECORDS_PER_FILE}`,
      );
    }
    return batches;
  } catch (error) {
    await closeAll(batches);
    throw error;
  }
}

async function* stream(
  split: CifarSplit,
  paths: readonly string[],
  size: number,
  options: StreamOptions = {},
): AsyncGenerator<Example> {
  const order = orderOf(`cifar10/${split}`, size, options);
  const batches = await openAll(paths);
  try {
    const bytes = new Uint8Array(RECORD);
    for (const index of order) {
      const { path, file } = batches[Math.floor(index / RECORDS_PER_FILE)] as Batch;
      const record = index % RECORDS_PER_FILE;
      // Synchronous: the system has the file in its cache, and a trip through the thread pool costs ten times the read.
      const count = readSync(file.fd, bytes, 0, RECORD, record * RECORD);
      if (count < RECORD) throw new UserError(`${path} became shorter while it was read`);
      yield {
        image: channelsLast(bytes.subarray(1)),
        label: requireClass(bytes[0] as number, record, path, CLASSES),
        id: `cifar10/${split}/${index}`,
      };
    }
  } finally {
    await closeAll(batches);
  }
}

/** Planes of red, green and blue as pixels, in [0,1]. */
function channelsLast(planes: Uint8Array): Float32Array {
  const image = new Float32Array(planes.length);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let pixel = 0; pixel < PLANE; pixel++) {
      image[pixel * CHANNELS + channel] = (planes[channel * PLANE + pixel] as number) / 255;
    }
  }
  return image;
}

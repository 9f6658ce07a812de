/**
 * Fashion-MNIST: 60,000 and 10,000 images of clothes, in the form of MNIST.
 *
 * Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017
 * (https://arxiv.org/abs/1708.07747), table 2.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { gibbonHome } from '../core/home.ts';
import { type IdxSplit, idxNames, openIdxImages } from './idx-images.ts';

const CLASSES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

const SOURCE = 'https://github.com/zalandoresearch/fashion-mnist';

/** Where Debian's package `dataset-fashion-mnist` puts the files. */
const DEBIAN = '/usr/share/datasets/fashion-mnist';

const defaultFolders = (): readonly string[] => [join(gibbonHome(), 'fashion-mnist'), DEBIAN];

/**
 * Opens a split of Fashion-MNIST.
 *
 * @param folders - where its files may lie, packed with gzip or not; the first folder that has them is taken
 * @throws UserError if none has them, with where to get them and where to put them; or naming the file that is damaged
 */
export async function openFashionMnist(
  split: IdxSplit,
  folders: readonly string[] = defaultFolders(),
): Promise<Dataset> {
  const { images, labels } = idxNames(split);
  for (const folder of folders) {
    const paths = { images: packedOrNot(folder, images), labels: packedOrNot(folder, labels) };
    if (paths.images === undefined || paths.labels === undefined) continue;
    return openIdxImages({
      ...{ name: 'fashion-mnist', split, classes: CLASSES },
      paths: { images: paths.images, labels: paths.labels },
    });
  }
  throw new UserError(
    `fashion-mnist is not on this computer: put ${images}.gz and ${labels}.gz of ${SOURCE} (data/fashion) into ` +
      `${folders[0]}, or install Debian's dataset-fashion-mnist. Without it, --dataset mnist runs`,
  );
}

const packedOrNot = (folder: string, name: string): string | undefined =>
  [name, `${name}.gz`].map((file) => join(folder, file)).find((path) => existsSync(path));

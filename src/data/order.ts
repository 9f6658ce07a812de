import type { StreamOptions } from '../core/dataset.ts';
import { usageError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';

/**
 * How many images are asked for, all by default.
 *
 * @param name - the dataset's, for errors: `mnist/test`
 * @throws UserError (usage) if that is more than there are, or none
 */
export function countOf(name: string, size: number, { images = size }: StreamOptions): number {
  if (Number.isSafeInteger(images) && images >= 1 && images <= size) return images;
  throw usageError(`${name} has ${size} images; the number of images must be between 1 and that, and is ${images}`);
}

/**
 * Which records of a dataset to visit, in which order: the files' own, or a seeded random one. The first n are the same
 * however many are asked for.
 *
 * @param name - the dataset's, for errors and so that datasets of one size have orders of their own: `mnist/test`
 * @throws UserError (usage) if more images are asked for than there are, or none
 */
export function orderOf(name: string, size: number, options: StreamOptions): Uint32Array {
  const count = countOf(name, size, options);
  const order =
    options.seed === undefined
      ? Uint32Array.from({ length: size }, (_, i) => i)
      : new Rng(options.seed, `order of ${name}`).permutation(size);
  return order.subarray(0, count);
}

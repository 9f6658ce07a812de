/** Which images are measured, and how they come: one by one, in a fixed order, never all at once. */

import type { Dataset, StreamOptions } from '../core/dataset.ts';
import { usageError } from '../core/errors.ts';
import { stringHash } from '../core/rng.ts';

/** An image of the run's selection. */
export interface SelectedImage {
  /** Its place in the selection, from 0. */
  readonly index: number;
  readonly id: string;
  /** `stringHash(id)`: keys its noise. */
  readonly hash: number;
  readonly label: number;
  /** H·W·C values in [0,1]. */
  readonly pixels: Float32Array;
}

export interface Selection {
  readonly size: number;
  /** In words, for the run's provenance. */
  readonly rule: string;
  stream(): AsyncIterable<SelectedImage>;
}

/**
 * The first `images` of the dataset's seeded order, so that a few already are a fair sample. All of them come in the
 * dataset's own order, which is the same for everybody.
 *
 * @throws UserError (usage) if `images` is not a whole number above 0
 */
export function selectImages(dataset: Dataset, images: number, seed: number): Selection {
  if (!(Number.isSafeInteger(images) && images > 0)) {
    throw usageError(`${images} images: give a whole number, 1 to ${dataset.size}`);
  }
  const all = images >= dataset.size;
  const size = Math.min(images, dataset.size);
  const options: StreamOptions = all ? {} : { images: size, seed };
  return {
    size,
    rule: all ? `all ${size} images` : `the first ${size} of ${dataset.size} images in the order of seed ${seed}`,
    stream: async function* () {
      let index = 0;
      for await (const { id, label, image } of dataset.stream(options)) {
        yield { index, id, hash: stringHash(id), label, pixels: image };
        index += 1;
      }
    },
  };
}

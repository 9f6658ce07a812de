/** Which images are measured, and how they come: one by one, in a fixed order, never all at once. */

import type { Dataset, SkippedFile, StreamOptions } from '../core/dataset.ts';
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
  /** How many images there are; at most, until all have been streamed and the unreadable files are known. */
  readonly size: number;
  /** Files that gave no image, as far as streamed. */
  skipped(): readonly SkippedFile[];
  /**
   * What was measured, in words, for the run's provenance.
   *
   * @param images - how many there were
   * @param skipped - how many files gave none
   */
  rule(images: number, skipped: number): string;
  /**
   * SHA-256 of the files that it is read from.
   *
   * @param skipped - how many files gave no image, as far as that is known: as many others took their places
   */
  hash(skipped?: number): Promise<string>;
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
  const options: StreamOptions = all ? {} : { images, seed };
  const skippedFiles = (): readonly SkippedFile[] => dataset.skipped?.() ?? [];
  return {
    get size() {
      return Math.min(images, dataset.size - skippedFiles().length);
    },
    skipped: skippedFiles,
    rule: (measured, skipped) => {
      const readable = skipped === 0 ? '' : ' that could be read';
      if (all) return `all ${measured} images${readable}`;
      return `the first ${measured}${readable} of ${dataset.size} images in the order of seed ${seed}`;
    },
    hash: (skipped = 0) => dataset.hash(all ? {} : { ...options, images: Math.min(images + skipped, dataset.size) }),
    stream: async function* () {
      let index = 0;
      for await (const { id, label, image } of dataset.stream(options)) {
        yield { index, id, hash: stringHash(id), label, pixels: image };
        index += 1;
      }
    },
  };
}

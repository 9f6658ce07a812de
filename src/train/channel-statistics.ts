/** The colours of the training images: what is subtracted from every pixel, and how colours vary together. */
import type { Dataset } from '../core/dataset.ts';
import { UserError } from '../core/errors.ts';
import { HELD_OUT_SEED } from './batches.ts';

/** Of pixels in [0,1], for each channel. */
export interface ChannelStatistics {
  readonly mean: readonly number[];
  /** [C][C] */
  readonly covariance: readonly (readonly number[])[];
}

/** More images would change the third digit at most. */
const ENOUGH_IMAGES = 10_000;

/**
 * Mean and covariance of the channels over the pixels of up to 10,000 training images: those that follow the validation
 * set in the fixed random order that it is the beginning of. They pass by once.
 *
 * @param heldOut - how many images the validation set has
 * @throws UserError if no image is left
 */
export async function channelStatistics(dataset: Dataset, heldOut: number): Promise<ChannelStatistics> {
  const channels = dataset.input[2];
  const images = Math.min(dataset.size, heldOut + ENOUGH_IMAGES);
  // Sums of differences from the first pixel, so that a channel that never changes has a variance of exactly 0.
  let origin: Float32Array | undefined;
  const sums = new Float64Array(channels);
  const products = new Float64Array(channels * channels);
  const pixel = new Float64Array(channels);
  let [seen, pixels] = [0, 0];
  for await (const { image } of dataset.stream({ images, seed: HELD_OUT_SEED })) {
    if (seen++ < heldOut) continue;
    origin ??= image.slice(0, channels);
    for (let start = 0; start < image.length; start += channels) {
      for (let c = 0; c < channels; c++) {
        const value = (image[start + c] as number) - (origin[c] as number);
        pixel[c] = value;
        sums[c] = (sums[c] as number) + value;
        for (let d = 0; d <= c; d++) {
          const place = c * channels + d;
          products[place] = (products[place] as number) + value * (pixel[d] as number);
        }
      }
      pixels += 1;
    }
  }
  if (origin === undefined) {
    throw new UserError(`${dataset.name} has no image beside the ${heldOut} that are held out for validation`);
  }
  const first = origin;
  const shift = Array.from(sums, (sum) => sum / pixels);
  const at = (c: number, d: number): number =>
    (products[Math.max(c, d) * channels + Math.min(c, d)] as number) / pixels -
    (shift[c] as number) * (shift[d] as number);
  return {
    mean: shift.map((value, c) => value + (first[c] as number)),
    covariance: shift.map((_, c) => shift.map((__, d) => at(c, d))),
  };
}

/** The deviation of each channel: 1 where it never changes, and so cannot be scaled. */
export const deviationsOf = ({ covariance }: ChannelStatistics): readonly number[] =>
  covariance.map((row, c) => Math.sqrt(row[c] as number) || 1);

/** How the pixels of an adversarial image come to the 256 levels of a picture. */
import type { Rounding } from '../../core/saved.ts';
import { roundTo8Bits } from '../pool/verify.ts';

const LEVELS = 255;

/** What a level is as a float32 pixel. */
const pixelOf = (level: number): number => Math.fround(level / LEVELS);

/** The level nearest to a pixel. */
const levelOf = (pixel: number): number => Math.min(LEVELS, Math.max(0, Math.round(pixel * LEVELS)));

/**
 * The last level on the way from the clean pixel to x, x's own included. A clean pixel that is on a level itself, as those
 * of 8-bit files are, is one on its way: so |result - clean| ≤ |x - clean| to the last bit, in every pixel and hence in every
 * norm. Where no level lies on the way, the clean pixel's nearest.
 */
function inward(x: number, clean: number): number {
  const towards = Math.sign(x - clean);
  const nearest = levelOf(x);
  const level = (pixelOf(nearest) - x) * towards > 0 ? nearest - towards : nearest;
  return pixelOf((pixelOf(level) - clean) * towards < 0 ? levelOf(clean) : level);
}

/** Image and clean image to what a picture of the image shows. */
export const ROUND: Readonly<Record<Rounding, (image: Float32Array, clean: Float32Array) => Float32Array>> = {
  nearest: roundTo8Bits,
  inward: (image, clean) => image.map((x, i) => inward(x, clean[i] as number)),
};

import sharp from 'sharp';
import type { ImageShape } from '../core/classifier.ts';

/**
 * A lossless 8-bit PNG of H·W·C values in [0,1], of one channel or three; what is outside is clipped, what is no number is
 * black.
 */
export async function encodePng(pixels: Float32Array, [height, width, channels]: ImageShape): Promise<Buffer> {
  if (channels !== 1 && channels !== 3) throw new Error(`no PNG for images of ${channels} channels; give 1 or 3`);
  const bytes = Buffer.from(Uint8ClampedArray.from(pixels, (value) => value * 255).buffer);
  return sharp(bytes, { raw: { width, height, channels } }).png({ compressionLevel: 9 }).toBuffer();
}

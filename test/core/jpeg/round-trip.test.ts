import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { quantisation } from '../../../src/core/jpeg/quantisation.ts';
import { type JpegOptions, jpegRoundTrip } from '../../../src/core/jpeg/round-trip.ts';
import { openDataset } from '../../../src/data/registry.ts';
import { tf } from '../../../src/tf.ts';
import { scene } from '../../defenses/pictures.ts';

beforeAll(() => tf.setBackend('cpu'));

type Shape = readonly [height: number, width: number, channels: number];

const bytesOf = (image: Float32Array): Buffer =>
  Buffer.from(Uint8Array.from(image, (value) => Math.round(value * 255)));

/** What libjpeg-turbo makes of it, as whole levels. */
async function bySharp(image: Float32Array, [height, width, channels]: Shape, options: JpegOptions): Promise<number[]> {
  const raw = { width, height, channels: channels as 1 | 3 };
  const encoded = await sharp(bytesOf(image), { raw })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .jpeg({ quality: options.quality, chromaSubsampling: options.subsampling, optimiseCoding: false })
    .toBuffer();
  const decoder = channels === 1 ? sharp(encoded).extractChannel(0) : sharp(encoded);
  const { data, info } = await decoder.raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width, height, channels });
  return [...data];
}

function byGibbon(image: Float32Array, shape: Shape, options: JpegOptions): number[] {
  const levels = tf.tidy(() =>
    jpegRoundTrip(tf.tensor4d(image, [1, ...shape]), options)
      .mul(255)
      .dataSync(),
  );
  return Array.from(levels, Math.round);
}

/** The mean of the levels by which two differ, and the share of pixels that differ by more than one. */
function difference(a: readonly number[], b: readonly number[]) {
  const apart = a.map((value, i) => Math.abs(value - (b[i] as number)));
  const mean = apart.reduce((sum, d) => sum + d, 0) / apart.length;
  return { mean, beyond: apart.filter((d) => d > 1).length / apart.length };
}

/**
 * Levels, and a share of pixels. Libjpeg computes the cosine transform in fixed point: where a coefficient lies half-way between
 * two steps of quantisation it may take the other, which shows in all pixels of its block.
 */
const TOLERANCE = { mean: 0.5, beyond: 0.1 };

function expectClose(found: readonly number[], expected: readonly number[]): void {
  const { mean, beyond } = difference(found, expected);
  expect(mean).toBeLessThan(TOLERANCE.mean);
  expect(beyond).toBeLessThan(TOLERANCE.beyond);
}

async function digits(count: number): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  for await (const { image } of (await openDataset('mnist', 'test')).stream({ images: count, seed: 1 }))
    found.push(image);
  return found;
}

describe('JPEG', () => {
  const QUALITIES = [10, 30, 50, 75, 90, 100];

  it.each(QUALITIES)('of quality %i makes of digits what libjpeg makes of them', async (quality) => {
    const options = { quality, subsampling: '4:2:0' } as const;
    for (const digit of await digits(4)) {
      const shape = [28, 28, 1] as const;
      expectClose(byGibbon(digit, shape, options), await bySharp(digit, shape, options));
    }
  });

  describe.each(['4:4:4', '4:2:0'] as const)('with colour kept as %s', (subsampling) => {
    // Whole blocks, and none.
    it.each(QUALITIES.flatMap((quality) => [[quality, 48, 64] as const, [quality, 37, 51] as const]))(
      'of quality %i makes of a scene of %i × %i what libjpeg makes of it',
      async (quality, height, width) => {
        const options = { quality, subsampling };
        const shape = [height, width, 3] as const;
        const picture = scene(shape);
        expectClose(byGibbon(picture, shape, options), await bySharp(picture, shape, options));
      },
    );
  });

  it('would be told from JPEG of another quality, and from no JPEG at all', async () => {
    const [shape, subsampling] = [[48, 64, 3] as const, '4:2:0' as const];
    const picture = scene(shape);
    const expected = await bySharp(picture, shape, { quality: 50, subsampling });
    for (const other of [byGibbon(picture, shape, { quality: 60, subsampling }), [...bytesOf(picture)]]) {
      const { mean } = difference(other, expected);
      expect(mean).toBeGreaterThan(2 * TOLERANCE.mean);
    }
  });

  it('scales the tables of the standard as libjpeg does', () => {
    expect(quantisation('luminance', 50).slice(0, 8)).toEqual([16, 11, 10, 16, 24, 40, 51, 61]);
    expect(quantisation('chrominance', 75).slice(0, 4)).toEqual([9, 9, 12, 24]);
    expect(new Set(quantisation('luminance', 100))).toEqual(new Set([1]));
    expect(new Set(quantisation('chrominance', 1))).toEqual(new Set([255]));
  });

  it('is refused for images that are neither grey nor colour', () => {
    expect(() => tf.tidy(() => jpegRoundTrip(tf.zeros([1, 8, 8, 2]), { quality: 75, subsampling: '4:2:0' }))).toThrow(
      'JPEG keeps images of 1 or 3 channels, and these have 2',
    );
  });
});

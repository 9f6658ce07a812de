import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readPhoto, requirePhotoForm, UnreadablePhoto } from '../../src/data/read-photo.ts';
import { picture, pixels, put, temporaryFolder } from './pictures.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
/** As large as the pictures: nothing is scaled. */
const WHOLE = { input: [32, 40, 3], resize: 32, classes: [] } as const;
const SMALL = { input: [8, 8, 3], resize: 10, classes: [] } as const;
const bytesOf = (image: Float32Array): number[] => Array.from(image, (value) => Math.round(value * 255));
const ORIGINAL = [...pixels(40, 32)];

/** The largest difference between two lists of bytes. */
const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);

describe('a photograph', () => {
  it.each(['png', 'gif', 'webp', 'tiff', 'jpg', 'avif'])('is read from %s, in [0,1]', async (type) => {
    const made = type === 'webp' ? picture().webp({ lossless: true }) : picture();
    const path = at(`plain.${type}`);
    await (type === 'webp' ? made.toFile(path) : put(path, made));
    const image = await readPhoto(path, WHOLE);
    expect(image).toHaveLength(32 * 40 * 3);
    expect(image.every((value) => value >= 0 && value <= 1)).toBe(true);
    if (type === 'png' || type === 'webp') expect(bytesOf(image)).toEqual(ORIGINAL);
    else expect(apart(bytesOf(image), ORIGINAL)).toBeLessThan(60);
  });

  it('is known by its content, whatever its name', async () => {
    const path = at('really-a-png.jpg');
    await writeFile(path, await picture().png().toBuffer());
    expect(bytesOf(await readPhoto(path, WHOLE))).toEqual(ORIGINAL);
  });

  it('of sixteen bits becomes eight, of grey becomes three channels, and loses its transparency', async () => {
    const deep = Uint16Array.from(pixels(40, 32), (value) => value * 257);
    const raw = { width: 40, height: 32, channels: 3 } as const;
    await sharp(deep, { raw }).toColourspace('rgb16').png().toFile(at('deep.png'));
    expect((await sharp(at('deep.png')).metadata()).depth).toBe('ushort');
    expect(bytesOf(await readPhoto(at('deep.png'), WHOLE))).toEqual(ORIGINAL);

    await put(at('clear.png'), picture().ensureAlpha(0.25));
    expect(bytesOf(await readPhoto(at('clear.png'), WHOLE))).toEqual(ORIGINAL);

    await put(at('grey.png'), picture().greyscale());
    const grey = bytesOf(await readPhoto(at('grey.png'), WHOLE));
    expect(grey).toHaveLength(ORIGINAL.length);
    for (let i = 0; i < grey.length; i += 3) expect([grey[i + 1], grey[i + 2]]).toEqual([grey[i], grey[i]]);
  });

  it('of a palette and of CMYK become red, green and blue', async () => {
    await picture().png({ palette: true, colours: 256 }).toFile(at('palette.png'));
    expect(apart(bytesOf(await readPhoto(at('palette.png'), WHOLE)), ORIGINAL)).toBeLessThan(40);

    const red = sharp({ create: { width: 40, height: 32, channels: 3, background: '#c02020' } });
    await red.toColourspace('cmyk').jpeg().toFile(at('cmyk.jpg'));
    expect((await sharp(at('cmyk.jpg')).metadata()).space).toBe('cmyk');
    const [r = 0, g = 0, b = 0] = bytesOf(await readPhoto(at('cmyk.jpg'), WHOLE));
    expect(r).toBeGreaterThan(120);
    expect(Math.max(g, b)).toBeLessThan(90);
  });

  it('that moves shows its first picture', async () => {
    const frames = await Promise.all([1, 2, 3].map((seed) => picture(40, 32, seed).png().toBuffer()));
    await sharp(frames, { join: { animated: true } })
      .gif({ delay: [50, 50, 50] })
      .toFile(at('moving.gif'));
    expect((await sharp(at('moving.gif')).metadata()).pages).toBe(3);
    expect(apart(bytesOf(await readPhoto(at('moving.gif'), WHOLE)), [...pixels(40, 32, 1)])).toBeLessThan(40);
  });

  it('for a network of one channel is grey as Pillow has it: 299, 587 and 114 thousandths', async () => {
    await put(at('plain.png'));
    const image = bytesOf(await readPhoto(at('plain.png'), { ...WHOLE, input: [32, 40, 1] }));
    const [r = 0, g = 0, b = 0] = ORIGINAL.slice(300, 303);
    expect(image).toHaveLength(32 * 40);
    expect(image[100]).toBe((r * 19_595 + g * 38_470 + b * 7_471 + 0x8000) >> 16);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('held as orientation %i says comes upright', async (orientation) => {
    const path = at(`held-${orientation}.png`);
    await picture(40, 32).withMetadata({ orientation }).png().toFile(path);
    const { data, info } = await sharp(path).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const image = await readPhoto(path, { ...WHOLE, input: [info.height, info.width, 3] });
    expect(bytesOf(image)).toEqual([...data]);
  });

  it('read in strips, as a large one is, gives the same bytes', async () => {
    const path = await put(at('large.png'), picture(90, 170));
    const form = { input: [33, 27, 3], resize: 36, classes: [] } as const;
    const whole = await readPhoto(path, form);
    for (const rows of [1, 7, 40, 169]) expect(await readPhoto(path, form, rows * 90 * 3), `${rows}`).toEqual(whole);
  });
});

/** Writes a PNG file whose header has another size than its pixels. */
async function claimSize(path: string, side: number): Promise<void> {
  const png = await picture().png().toBuffer();
  // After the signature and the length come the name of the header (12), its sizes (16, 20) and its checksum (29).
  png.writeUInt32BE(side, 16);
  png.writeUInt32BE(side, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  await writeFile(path, png);
}

describe('a file that gives no image', () => {
  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['that is missing', async () => undefined, /cannot be opened/],
    ['that is empty', (path) => writeFile(path, ''), /not a JPEG|damaged/],
    ['of text', (path) => writeFile(path, 'This is not a photograph.'), /not a JPEG/],
    [
      'that is a drawing',
      (path) => writeFile(path, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      /not a JPEG/,
    ],
    [
      'that claims thousands of millions of pixels',
      (path) => claimSize(path, 60_000),
      /^it has more pixels than are read/,
    ],
    [
      'of a header alone',
      async (path) => writeFile(path, (await readFile(await put(at('whole.jpg')))).subarray(0, 60)),
      /./,
    ],
  ])('%s is refused in words that do not name the path', async (what, make, message) => {
    const path = at(`bad ${what}.jpg`);
    await make(path);
    const error = await readPhoto(path, SMALL).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnreadablePhoto);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain(folder);
    expect((error as Error).message).not.toContain('\n');
  });

  it.each(['jpg', 'png', 'webp', 'gif', 'tiff'])('a %s that is cut short anywhere is refused', async (type) => {
    const path = await put(at(`cut.${type}`), picture(200, 300));
    const whole = await readFile(path);
    for (const share of [0.3, 0.6, 0.9]) {
      await writeFile(path, whole);
      await truncate(path, Math.floor(whole.length * share));
      await expect(readPhoto(path, SMALL), `${share}`).rejects.toThrow(UnreadablePhoto);
    }
  });

  it.each<[readonly [number, number, number], number, RegExp]>([
    [[8, 8, 4], 10, /1 or 3 channels/],
    [[8, 8, 3], 0, /cannot be scaled to 0/],
    [[8, 8, 3], 1.5, /cannot be scaled to 1.5/],
  ])('images of %j at %s are refused before any file is read', (input, resize, message) => {
    expect(() => requirePhotoForm({ input, resize, classes: [] })).toThrow(message);
  });
});

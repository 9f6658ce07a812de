/** A photograph from a file, as a network takes it. */
import sharp from 'sharp';
import type { PhotoForm } from '../core/dataset.ts';
import { messageOf, usageError } from '../core/errors.ts';
import { type Crop, cropOf, type Size } from './crop.ts';
import { lastInput, scaleColumns, scaleRows, tapsOf } from './resize.ts';
import { toUnit } from './to-unit.ts';
import { isTransposed, upright } from './upright.ts';

// A cache would keep files open and, where one is written anew under its old name, give the old picture.
sharp.cache(false);

/** What sharp calls the formats that photographs come in; a drawing (SVG) has no pixels of its own. */
const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);

/**
 * A damaged file is refused even if a picture could be made of its rest. Colour profiles count for nothing, as where
 * networks were trained; CMYK alone is converted by a standard one. Of an animation, the first picture is taken.
 */
const READING = { failOn: 'warning', ignoreIcc: true, sequentialRead: true, animated: false } as const;

/** 64 MiB: what a photograph of 22 megapixels decodes to. */
const STRIP_BYTES = 2 ** 26;

/** Shares of red, green and blue in grey, of 2¹⁶ (ITU-R BT.601), as Pillow rounds them. */
const [RED, GREEN, BLUE, GREY_BITS] = [19_595, 38_470, 7_471, 16] as const;

/** Why a file gives no image; its message is the reason in words. */
export class UnreadablePhoto extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'UnreadablePhoto';
  }
}

/** @throws UserError (usage) if images of that form cannot be made of photographs */
export function requirePhotoForm({ input, resize }: PhotoForm): void {
  const [height, width, channels] = input;
  if (channels !== 1 && channels !== 3) {
    throw usageError(`photographs have 1 or 3 channels; the network takes ${height}x${width}x${channels}`);
  }
  if (!(Number.isSafeInteger(resize) && resize > 0)) {
    throw usageError(`the short side of a photograph cannot be scaled to ${resize}: give a whole number of pixels`);
  }
}

/**
 * Decodes, scales as Pillow does, cuts out the centre and puts it upright: H·W·C values in [0,1]. Transparency is dropped,
 * sixteen bits become eight. Memory does not grow with the size of the photograph.
 *
 * @param stripBytes - decoded bytes that are held at once: a photograph of more is read in strips
 * @throws UnreadablePhoto if the file is missing, damaged, cut short, or no image of a known format
 */
export async function readPhoto(path: string, form: PhotoForm, stripBytes = STRIP_BYTES): Promise<Float32Array> {
  const { width, height, orientation } = await inspect(path);
  const [rows, columns, channels] = form.input;
  const input = isTransposed(orientation) ? ([columns, rows, channels] as const) : form.input;
  const crop = cropOf({ width, height }, { input, resize: form.resize });
  const pixels = upright(
    await readCrop(path, { width, height }, crop, stripBytes),
    crop.height,
    crop.width,
    orientation,
  );
  return toUnit(channels === 1 ? toGrey(pixels) : pixels);
}

async function inspect(path: string): Promise<Size & { readonly orientation: number }> {
  const { format, width, height, orientation = 1 } = await orUnreadable(path, () => sharp(path, READING).metadata());
  if (FORMATS.has(format)) return { width, height, orientation };
  throw new UnreadablePhoto(UNKNOWN_FORMAT);
}

const UNKNOWN_FORMAT = 'it is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image';

/** The crop's pixels, RGB. Rows below the crop are decoded too: a file that is cut short there is damaged all the same. */
async function readCrop(path: string, photo: Size, crop: Crop, stripBytes: number): Promise<Uint8Array> {
  const across = tapsOf(photo.width, crop.scaled.width, crop.left, crop.width);
  const down = tapsOf(photo.height, crop.scaled.height, crop.top, crop.height);
  const [left, right] = [across.start[0] as number, lastInput(across) + 1];
  const [top, bottom] = [down.start[0] as number, lastInput(down) + 1];
  const width = right - left;
  const stripRows = Math.max(1, Math.floor(stripBytes / (3 * width)));
  const narrow = new Uint8Array((bottom - top) * crop.width * 3);
  for (let row = top; row < photo.height; row += stripRows) {
    const height = Math.min(stripRows, photo.height - row);
    const strip = await readRegion(path, { left, top: row, width, height });
    const wanted = Math.max(0, Math.min(height, bottom - row));
    const rows = strip.subarray(0, wanted * width * 3);
    scaleRows(rows, { width, first: left }, across, narrow.subarray((row - top) * crop.width * 3));
  }
  return scaleColumns(narrow, { width: crop.width, first: top }, down);
}

interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

const readRegion = (path: string, region: Region): Promise<Uint8Array> =>
  orUnreadable(path, async () => {
    const picture = sharp(path, READING).extract(region).removeAlpha().toColourspace('srgb');
    const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels === 3 && data.length === 3 * region.width * region.height) return data;
    throw new Error(`it decodes to ${info.width}x${info.height}x${info.channels}`);
  });

async function orUnreadable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UnreadablePhoto(reasonOf(error, path));
  }
}

/** What sharp complains of, in one line that does not name the path: whoever reports it names the file. */
function reasonOf(error: unknown, path: string): string {
  const [line = ''] = messageOf(error).replaceAll(path, 'the file').split('\n');
  if (/unsupported image format/.test(line)) return UNKNOWN_FORMAT;
  if (/missing/.test(line)) return 'it cannot be opened';
  if (/pixel limit/.test(line)) return 'it has more pixels than are read: scale it down';
  return `it is damaged: ${line.trim()}`;
}

function toGrey(pixels: Uint8Array): Uint8Array {
  const grey = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < grey.length; i++) {
    const [red, green, blue] = [pixels[3 * i] as number, pixels[3 * i + 1] as number, pixels[3 * i + 2] as number];
    grey[i] = (RED * red + GREEN * green + BLUE * blue + (1 << (GREY_BITS - 1))) >> GREY_BITS;
  }
  return grey;
}

/** Real weights and photographs, for the tests that need them: in the folder that $GIBBON_HOME names, or nowhere. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

// Tests have another home: `own-home.ts` keeps the user's word.
const folder = process.env.GIBBON_REAL_HOME ?? '';

export const realFile = (...path: readonly string[]): string => join(folder, ...path);

/** Whether all of these are there; tests are skipped otherwise. */
export const haveReal = (...names: readonly string[]): boolean =>
  folder !== '' && names.every((name) => existsSync(realFile(name)));

/** The pixels of an image that needs no scaling, [H, W, 3] in [0,1]. */
export async function pixelsOf(path: string): Promise<Float32Array> {
  const bytes = await sharp(path).raw().toBuffer();
  return Float32Array.from(bytes, (byte) => byte / 255);
}

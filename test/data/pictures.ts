/** Small photographs to read, made anew for each test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll } from 'vitest';
import type { Dataset, Example, StreamOptions } from '../../src/core/dataset.ts';

/** A folder that is gone when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gibbon-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Smooth colours that differ by `seed` and have no symmetry. */
export function pixels(width: number, height: number, seed = 0): Uint8Array {
  const values = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      values.set(
        [(200 * x) / width + seed * 5, (200 * y) / height + 20, 128 + 60 * Math.sin(seed + x / 5 + y / 9)],
        (y * width + x) * 3,
      );
    }
  }
  return values;
}

export const picture = (width = 40, height = 32, seed = 0): Sharp =>
  sharp(pixels(width, height, seed), { raw: { width, height, channels: 3 } });

/** Writes a picture, and the folders on the way to it. */
export async function put(path: string, made: Sharp = picture()): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const format = path.split('.').at(-1)?.toLowerCase() as 'png';
  await made.toFormat(format).toFile(path);
  return path;
}

export async function take(dataset: Dataset, options?: StreamOptions): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const example of dataset.stream(options)) examples.push(example);
  return examples;
}

export const idsOf = (examples: readonly Example[]): string[] => examples.map(({ id }) => id);

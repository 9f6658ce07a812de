import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CandidateLog } from '../../../src/evaluate/saved/candidate-log.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-log-'));
  path = join(folder, 'below', 'candidates.part');
});
afterEach(() => rm(folder, { recursive: true }));

const PIXELS = 3;
const image = (seed: number): Float32Array => Float32Array.of(seed, seed / 2, -seed);

async function using<T>(work: (log: CandidateLog) => Promise<T>): Promise<T> {
  const log = await CandidateLog.open(path, PIXELS);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

/** Two records: image 7 of layer 0 with a note, image 2 of layer 5. */
const fill = () =>
  using(async (log) => {
    await log.append(0, 7, image(1), 'töne/7.png');
    await log.append(5, 2, image(2));
  });

describe('a log of candidates', () => {
  it('gives back what was appended, after it was opened again too', async () => {
    await fill();
    await using(async (log) => {
      expect(await log.read(0, 7)).toEqual({ note: 'töne/7.png', pixels: image(1) });
      expect(await log.read(5, 2)).toEqual({ note: '', pixels: image(2) });
      expect([log.has(0, 7), log.has(5, 7), log.has(5, 2)]).toEqual([true, false, true]);
      await expect(log.read(5, 7)).rejects.toThrow(/no image 7/);
    });
  });

  it('keeps an image once', async () => {
    await fill();
    const { size } = await stat(path);
    await fill();
    expect((await stat(path)).size).toBe(size);
  });

  it('loses no whole record to a crash, at whatever byte it comes, and can go on from there', async () => {
    await fill();
    const whole = await readFile(path);
    const first = 16 + Buffer.byteLength('töne/7.png') + 4 * PIXELS;
    for (let length = 0; length < whole.length; length += 5) {
      await writeFile(path, whole);
      await truncate(path, length);
      await using(async (log) => expect([log.has(0, 7), log.has(5, 2)]).toEqual([length >= first, false]));
      await fill();
      await using(async (log) => expect((await log.read(5, 2)).pixels).toEqual(image(2)));
    }
  });

  it('takes no record whose bytes a power cut has left empty or mixed up', async () => {
    await fill();
    const whole = await readFile(path);
    for (let at = 0; at < whole.length; at += 3) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      await writeFile(path, damaged);
      await using(async (log) => expect(log.has(0, 7) && log.has(5, 2)).toBe(false));
    }
  });
});

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { fileError, writeAtomically } from '../../src/core/files.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-files-'));
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

describe('writing a file', () => {
  it('makes its folders, gives the result back, and leaves the file alone behind', async () => {
    const path = join(folder, 'a', 'b', 'x.txt');
    const result = await writeAtomically(path, async (file) => {
      await file.write('whole');
      return 7;
    });
    expect(result).toBe(7);
    expect(await readFile(path, 'utf8')).toBe('whole');
    expect(await readdir(join(folder, 'a', 'b'))).toEqual(['x.txt']);
  });

  it('is not hindered by what a crash of a process of the same number left, and leaves that alone', async () => {
    const path = join(folder, 'x.txt');
    // Whatever number the next temporary file would have.
    const left = Array.from({ length: 50 }, (_, i) => `x.txt.${process.pid}-${i}.tmp`);
    for (const name of left) await writeFile(join(folder, name), 'half');
    await writeAtomically(path, (file) => file.writeFile('whole'));
    expect(await readFile(path, 'utf8')).toBe('whole');
    expect((await readdir(folder)).sort()).toEqual(['x.txt', ...left].sort());
  });

  it('that fails halfway leaves the old file whole, and no other', async () => {
    const path = join(folder, 'x.txt');
    await writeFile(path, 'old');
    const writing = writeAtomically(path, async (file) => {
      await file.write('new, ha');
      throw new Error('the disk is full');
    });
    await expect(writing).rejects.toThrow(`cannot write ${path}: the disk is full`);
    await expect(writing).rejects.toBeInstanceOf(UserError);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['x.txt']);
  });

  it('shows readers the old content until the new one is whole', async () => {
    const path = join(folder, 'x.txt');
    await writeFile(path, 'old');
    await writeAtomically(path, async (file) => {
      await file.write('new');
      expect(await readFile(path, 'utf8')).toBe('old');
    });
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  it('over a folder fails in one line that names the path', async () => {
    const path = join(folder, 'taken');
    await mkdir(path);
    await expect(writeAtomically(path, async () => undefined)).rejects.toThrow(/^cannot write \S+taken: [a-z ,]+$/);
    expect((await stat(path)).isDirectory()).toBe(true);
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('below a file fails in one line too', async () => {
    await writeFile(join(folder, 'x'), '');
    const path = join(folder, 'x', 'y.txt');
    await expect(writeAtomically(path, async () => undefined)).rejects.toThrow(
      /^cannot write \S+y\.txt: \S+x is a file, not a folder$/,
    );
  });

  it.skipIf(!existsSync('/proc/self'))('below a folder that takes none fails, and soon', async () => {
    await expect(writeAtomically('/proc/new/newer/x', async () => undefined)).rejects.toThrow(
      'cannot write /proc/new/newer/x: no such file or directory',
    );
  });

  it('keeps an error that is clear already', async () => {
    const clear = new UserError('label 3 has no name');
    const writing = writeAtomically(join(folder, 'x'), async () => {
      throw clear;
    });
    await expect(writing).rejects.toBe(clear);
  });
});

describe('what the system says of a file', () => {
  it.each([
    ["ENOENT: no such file or directory, open 'x'", 'no such file or directory'],
    ["EACCES: permission denied, open 'a, b'", 'permission denied'],
    ["EXDEV: cross-device link not permitted, rename 'a' -> 'b'", 'cross-device link not permitted'],
    ['ENOSPC: no space left on device, write', 'no space left on device'],
    ['something else', 'something else'],
  ])('is told without its jargon: %s', (said, told) => {
    expect(fileError('read', 'x.json', new Error(said)).message).toBe(`cannot read x.json: ${told}`);
  });
});

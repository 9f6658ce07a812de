import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointPath, findCheckpoint } from '../../src/cli/checkpoints.ts';

const before = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-checkpoints-'));
  process.chdir(folder);
  await mkdir('checkpoints/mnist', { recursive: true });
  await writeFile('checkpoints/mnist/vgg16-mine.safetensors', '');
  await writeFile('vgg16-mine.safetensors', '');
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

describe('a checkpoint', () => {
  it('is found by its names in the working folder', () => {
    expect(findCheckpoint('mnist', 'vgg16', 'mine')).toMatch(/checkpoints.mnist.vgg16-mine\.safetensors$/);
    expect(findCheckpoint('mnist', 'vgg16', 'yours')).toBeUndefined();
  });

  it.each([
    ['..', 'vgg16', 'mine'],
    ['mnist', 'vgg16', 'x/../../../vgg16-mine'],
    ['mnist/..', 'x/../../vgg16', 'mine'],
  ])('is never looked for outside of its folder: %s, %s, %s', (...names) => {
    // Where the names lead, there is a file.
    expect(checkpointPath(...names)).toBe('vgg16-mine.safetensors');
    expect(findCheckpoint(...names)).toBeUndefined();
  });
});

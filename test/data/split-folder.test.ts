import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hasTrain } from '../../src/data/split-folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'splits-'));
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ['a', ['train', 'test'], true],
  ['b', ['val', 'test'], false],
  ['c', ['train', 'plane'], false],
  ['d', [], false],
] as const)('folder %s, which holds %j, has a training split: %s', async (name, folders, expected) => {
  await mkdir(join(folder, name));
  for (const one of folders) await mkdir(join(folder, name, one));
  expect(hasTrain(join(folder, name))).toBe(expected);
});

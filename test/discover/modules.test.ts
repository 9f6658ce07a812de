import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAttacks, loadDefenses } from '../../src/discover/modules.ts';

const WHOLE = `export default {
  name: 'still', title: 'Stand still', paper: 'https://example.org/paper', norms: ['Linf'], access: 'none', params: {},
  steps: () => 1, init: (x) => ({ x }), step: (state) => state,
};`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-modules-'));
});
afterEach(() => rm(folder, { recursive: true }));
const drop = (file: string, text: string) => writeFile(join(folder, file), text);

describe('a folder of attacks', () => {
  it('is listed: a file dropped in is there, with what stands in it', async () => {
    expect((await loadAttacks(folder)).size).toBe(0);
    await drop('still.ts', WHOLE);
    expect((await loadAttacks(folder)).get('still')?.title).toBe('Stand still');
  });

  it('holds declarations and notes too, which are no attacks', async () => {
    for (const file of ['still.d.ts', 'notes.md', 'still.js.map']) await drop(file, 'neither');
    expect((await loadAttacks(folder)).size).toBe(0);
  });

  it('gives every attack its file name, and says so where it differs', async () => {
    await drop('other.ts', WHOLE);
    await expect(loadAttacks(folder)).rejects.toThrow(/other\.ts calls its attack "still".*name: 'other'/);
  });

  it('names everything that a malformed attack lacks', async () => {
    await drop('still.ts', WHOLE.replace("norms: ['Linf']", "norms: ['L7']").replace('step: (state) => state,', ''));
    await expect(loadAttacks(folder)).rejects.toThrow(/still\.ts is not a complete attack; it lacks norms: .*; step: /);
  });

  it('wants papers to be https addresses', async () => {
    await drop('still.ts', WHOLE.replace('https://', 'http://'));
    await expect(loadAttacks(folder)).rejects.toThrow(/lacks paper: an https URL/);
  });

  it('says how to export an attack where none is exported', async () => {
    await drop('still.ts', 'export const attack = 1;');
    await expect(loadAttacks(folder)).rejects.toThrow(
      /still\.ts has no default export: write export default defineAttack/,
    );
  });

  it('names the file that cannot be loaded', async () => {
    await drop('still.ts', "throw new Error('out of bananas');");
    await expect(loadAttacks(folder)).rejects.toThrow(/still\.ts cannot be loaded: line 1, column \d+: out of bananas/);
  });
});

describe('a folder of defenses', () => {
  it('wants a training loss or a wrapper', async () => {
    await drop('shield.ts', "export default { name: 'shield', title: 'Shield', paper: 'https://x.org', params: {} };");
    await expect(loadDefenses(folder)).rejects.toThrow(/shield\.ts is not a complete defense; it lacks trainingLoss/);
  });
});

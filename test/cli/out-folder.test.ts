import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOut, defaultFolder, makeOut } from '../../src/cli/out-folder.ts';
import { JOURNAL } from '../../src/core/run.ts';
import { openJournal } from '../../src/evaluate/journal/journal.ts';

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'gibbon-out-'));
});
afterEach(async () => {
  await chmod(base, 0o755);
  await rm(base, { recursive: true });
});

describe('the folder of a run', () => {
  it('may be absent, at any depth, or empty; looking at it makes nothing', async () => {
    await checkOut(join(base, 'a', 'b'), 'named');
    expect(await readdir(base)).toEqual([]);
    await mkdir(join(base, 'empty'));
    await checkOut(join(base, 'empty'), 'named');
  });

  it('is refused when something is in it', async () => {
    await writeFile(join(base, 'run.json'), '{}');
    await expect(checkOut(base, 'named')).rejects.toMatchObject({ kind: 'usage', message: /is not empty/ });
  });

  it('says how to go on with an interrupted run', async () => {
    await writeFile(join(base, 'journal.ndjson'), '');
    await expect(checkOut(base, 'named')).rejects.toThrow(/--resume/);
    await checkOut(base, 'resumed');
  });

  it('is refused for resuming when there is nothing to resume', async () => {
    await expect(checkOut(base, 'resumed')).rejects.toThrow(/holds no journal\.ndjson to resume/);
  });

  it('is refused below a file', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    await expect(checkOut(file, 'named')).rejects.toThrow(/not a folder/);
    await expect(checkOut(join(file, 'run'), 'named')).rejects.toThrow(/not a folder/);
  });

  // The superuser may write anywhere, so that for it nothing is read-only.
  it.runIf(process.getuid?.() !== 0)('is refused in a read-only place', async () => {
    await chmod(base, 0o555);
    await expect(checkOut(join(base, 'run'), 'named')).rejects.toMatchObject({ kind: 'failed', message: /read-only/ });
  });

  it('is an error in one line when the system refuses to make it', async () => {
    await writeFile(join(base, 'file'), '');
    await expect(makeOut(join(base, 'file', 'run'), 'named')).rejects.toThrow(/^cannot write .*run: not a directory$/);
  });

  it('goes away again if nothing was written, and stays if something was', async () => {
    const { undo: undoEmpty } = await makeOut(join(base, 'above', 'empty'), 'named');
    await undoEmpty();
    expect(await readdir(base)).toEqual([]);
    const full = join(base, 'full');
    const { undo } = await makeOut(full, 'named');
    await writeFile(join(full, 'journal.ndjson'), 'line');
    await undo();
    expect(existsSync(full)).toBe(true);
  });

  it('called by the time is shared by no two runs of the same second', async () => {
    const wanted = join(base, 'reports', 'now');
    const outs = await Promise.all([1, 2, 3].map(() => makeOut(wanted, 'by-time')));
    expect(outs.map(({ folder }) => folder).sort()).toEqual([wanted, `${wanted}-2`, `${wanted}-3`]);
    await checkOut(wanted, 'by-time');
  });

  it('named by two runs at once is made by one of them, and the journal’s to give away', async () => {
    const wanted = join(base, 'a', 'mine');
    const outs = await Promise.all([1, 2].map(() => makeOut(wanted, 'named')));
    expect(outs.map(({ folder }) => folder)).toEqual([wanted, wanted]);
    const begin = () => openJournal(join(wanted, JOURNAL), { key: 'k', command: 'gibbon experiment', resume: false });
    const begun = await Promise.allSettled([begin(), begin()]);
    expect(begun.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const journal of begun) if (journal.status === 'fulfilled') await journal.value.close();
    // What one of them has begun, the other does not take away.
    for (const { undo } of outs) await undo();
    expect(await readdir(wanted)).toEqual([JOURNAL]);
  });

  it('is named after the time and the work, whatever characters the names have', () => {
    const now = new Date('2026-01-31T09:30:05.123Z');
    expect(defaultFolder(['fgsm', 'pgd'], ['vgg16'], now)).toBe(join('reports', '2026-01-31-093005-fgsm-pgd-vgg16'));
    expect(defaultFolder(['a', 'b', 'c', 'd', 'e'], ['x/y'], now)).toMatch(/-a-b-c-and-2-more-x-y$/);
  });
});

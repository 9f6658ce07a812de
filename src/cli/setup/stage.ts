/** Folders that are there whole or not at all. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError, makeFolder } from '../../core/files.ts';
import { isAlive } from '../../core/is-alive.ts';

/**
 * Fills a folder under another name beside its own, then puts it in the place of what was there.
 *
 * @param fill - receives the folder to fill; if it fails, what was there before stays
 * @throws UserError if the folder cannot be written; what `fill` throws
 */
export async function replaceFolder(folder: string, fill: (stage: string) => Promise<void>): Promise<void> {
  await withStage(folder, async (stage) => {
    await fill(stage);
    const old = `${stage}.old`;
    try {
      if (existsSync(folder)) await rename(folder, old);
      await rename(stage, folder);
    } catch (error) {
      if (existsSync(old)) await rename(old, folder);
      throw fileError('write', folder, error);
    }
    await rm(old, { recursive: true, force: true });
  });
}

/** Gives `use` an empty folder beside (or, with a name that begins with a dot, in) another, and takes it away in the end. */
export async function withStage<T>(folder: string, use: (stage: string) => Promise<T>): Promise<T> {
  const stage = `${folder}.${process.pid}.tmp`;
  await removeAbandoned(folder);
  try {
    await makeFolder(stage);
  } catch (error) {
    throw fileError('write', stage, error);
  }
  try {
    return await use(stage);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Those of processes that were killed; one of this process's number was another's, which had it before. */
async function removeAbandoned(folder: string): Promise<void> {
  const entries = await readdir(dirname(folder)).catch(() => []);
  for (const entry of entries) {
    const [, of, pid] = /^(.*)\.(\d+)\.tmp(?:\.old)?$/.exec(entry) ?? [];
    if (of !== basename(folder) || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    await rm(join(dirname(folder), entry), { recursive: true, force: true });
  }
}

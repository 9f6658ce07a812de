/**
 * One process at a time: two that write the same file spoil what both have done.
 *
 * A file `PATH.lock` says who is at it, and its time of change that he still is. It counts for nothing once its process is gone
 * or its time is old, so that no crash locks anybody out.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { usageError } from './errors.ts';
import { fileError, makeFolder, writeAtomically } from './files.ts';
import { isAlive } from './is-alive.ts';

const REFRESH_MS = 15_000;
/** A process that computes for long without a pause is late, not gone. */
const GONE_MS = 8 * REFRESH_MS;
/** By then a lock is written, and of two that found a dead one at once both see whose it is now. */
const SETTLED_MS = 200;

/**
 * Claims a file for this process; returns the end of that.
 *
 * @throws UserError (usage) if another is at it, or if the lock cannot be written
 */
export async function soleUse(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  const own = JSON.stringify({ pid: process.pid, host: hostname(), token: randomUUID() });
  if (!(await made(lock, own))) {
    const holder = await holderOf(lock);
    if (holder !== undefined) {
      throw usageError(
        `${path} is being written by another process (${holder}): wait for its end, or end it. If there is none, delete ${lock}`,
      );
    }
    await writeAtomically(lock, (file) => file.writeFile(own));
    await setTimeout(SETTLED_MS);
    if ((await read(lock)) !== own)
      throw usageError(`${path} has just been taken up by another process: wait for its end`);
  }
  const refresh = setInterval(() => {
    const now = new Date();
    // Whoever deleted it knows why.
    utimes(lock, now, now).catch(() => clearInterval(refresh));
  }, REFRESH_MS);
  refresh.unref();
  return async () => {
    clearInterval(refresh);
    if ((await read(lock)) === own) await rm(lock, { force: true });
  };
}

/** Whether there was none, and now there is this one. */
async function made(lock: string, content: string): Promise<boolean> {
  try {
    await makeFolder(dirname(lock));
    await writeFile(lock, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError('write', lock, error);
  }
}

/** Who holds it, in words; undefined if nobody does any more. */
async function holderOf(lock: string): Promise<string | undefined> {
  const [content, changed] = [await read(lock), await stat(lock).catch(() => undefined)];
  if (content === undefined || changed === undefined) return undefined;
  const age = Date.now() - changed.mtimeMs;
  const holder = parsed(content);
  // Torn by a crash, unless it is only being written.
  if (holder === undefined) return age < SETTLED_MS ? 'which begins just now' : undefined;
  if (age > GONE_MS) return undefined;
  const { pid, host } = holder;
  if (host !== hostname()) return `${pid} on ${host}`;
  return isAlive(pid) ? String(pid) : undefined;
}

const holderSchema = z.object({ pid: z.number().int().positive(), host: z.string() });

function parsed(content: string): z.infer<typeof holderSchema> | undefined {
  try {
    return holderSchema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

const read = (lock: string): Promise<string | undefined> => readFile(lock, 'utf8').catch(() => undefined);

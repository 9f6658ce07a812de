/**
 * One process at a time: two that write the same file spoil what both have done.
 *
 * A file `PATH.lock` says who is at it. It counts for nothing once its process is gone, so that no crash locks anybody out; of a
 * process on another machine that is told by the file's time of change, which its owner keeps new, and the file system's clock.
 */
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { usageError } from './errors.ts';
import { fileError, makeFolder, nameBeside } from './files.ts';
import { isAlive } from './is-alive.ts';

const REFRESH_MS = 15_000;
/** A process that computes for long without a pause is late, not gone. */
const GONE_MS = 20 * REFRESH_MS;
/** By then a lock is written. */
const WRITTEN_MS = 10_000;

/** How many this process has made: tells them apart. */
let claims = 0;

/**
 * Claims a file for this process, and makes its folder if it is missing; returns the end of that.
 *
 * @throws UserError (usage) if another is at it, or (failed) if the lock cannot be read or written
 */
export async function soleUse(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  claims += 1;
  const holder: Holder = { pid: process.pid, started: startOf(process.pid), host: hostname(), claim: claims };
  const own = JSON.stringify(holder);
  while (!(await made(lock, own))) {
    const content = await read(lock);
    if (content === undefined) continue;
    const other = await livingHolder(lock, content);
    if (other !== undefined) {
      throw usageError(
        `${path} is being written by another process (${other}): wait for its end, or end it. If there is none, delete ${lock}`,
      );
    }
    await removeDead(lock, content);
  }
  const refresh = setInterval(
    () => void keepNew(lock, own).then((isOwn) => isOwn || clearInterval(refresh)),
    REFRESH_MS,
  );
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

async function read(lock: string): Promise<string | undefined> {
  try {
    return await readFile(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', lock, error);
  }
}

const holderSchema = z.object({
  pid: z.number().int().positive(),
  /** When it began, in a measure of the system's; null where that does not tell. Numbers of processes are used again. */
  started: z.string().nullable(),
  host: z.string(),
  claim: z.number(),
});

type Holder = z.infer<typeof holderSchema>;

/** Who holds it, in words; undefined if nobody does any more. */
async function livingHolder(lock: string, content: string): Promise<string | undefined> {
  const holder = parsed(content);
  // Torn by a crash, unless it is only being written.
  if (holder === undefined) return (await ageOf(lock)) < WRITTEN_MS ? 'which begins just now' : undefined;
  const { pid, started, host } = holder;
  if (host !== hostname()) return (await ageOf(lock)) < GONE_MS ? `${pid} on ${host}` : undefined;
  return isAlive(pid) && startOf(pid) === started ? String(pid) : undefined;
}

/** In milliseconds, by the clock of the file system, which is one for all who use it; of one that is gone, any. */
async function ageOf(lock: string): Promise<number> {
  const newer = nameBeside(lock);
  try {
    await writeFile(newer, '');
    const [now, then] = await Promise.all([stat(newer), stat(lock).catch(() => undefined)]);
    return then === undefined ? Number.POSITIVE_INFINITY : now.mtimeMs - then.mtimeMs;
  } catch (error) {
    throw fileError('write', newer, error);
  } finally {
    await rm(newer, { force: true });
  }
}

function parsed(content: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

/** On Linux, the ticks between the machine's start and the process's; null elsewhere. */
function startOf(pid: number): string | null {
  try {
    // The second field, a name in brackets, may hold spaces.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)?.split(' ')[20] ?? null;
  } catch {
    return null;
  }
}

/** Of several that find the same dead lock, one alone takes it away. */
async function removeDead(lock: string, content: string): Promise<void> {
  const dead = nameBeside(lock);
  try {
    await rename(lock, dead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw fileError('write', lock, error);
  }
  // Another was faster, and this is its own.
  if ((await read(dead)) !== content) return rename(dead, lock);
  await rm(dead, { force: true });
}

/** Whether it is this process's still. Whoever took it away knows why. */
async function keepNew(lock: string, own: string): Promise<boolean> {
  try {
    if ((await read(lock)) !== own) return false;
    // The same again, over itself: it is whole at every moment.
    const file = await open(lock, 'r+');
    await file.write(own).finally(() => file.close());
    return true;
  } catch {
    return false;
  }
}

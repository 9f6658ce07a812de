/** The folder that a run is written to: refused or found fit before any work, made when the work starts. */
import { constants } from 'node:fs';
import { access, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError, usageError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { JOURNAL } from '../core/run.ts';

export const REPORTS = 'reports';

/** `reports/2026-01-31-093000-fgsm-pgd-vgg16`, under the working folder. */
export function defaultFolder(attacks: readonly string[], architectures: readonly string[], now: Date): string {
  const stamp = now.toISOString().replace(/T/, '-').replaceAll(':', '').slice(0, 'yyyy-mm-dd-hhmmss'.length);
  return join(REPORTS, [stamp, slug(attacks), slug(architectures)].join('-'));
}

/** A run is called by its folder. */
export const runId = (folder: string): string => basename(resolve(folder));

/** How a run comes by its folder: the user named it, it is called by the time, or it holds what is to be resumed. */
export type Claim = 'named' | 'by-time' | 'resumed';

const SLUG_NAMES = 3;

/** A few names as part of a file name: `fgsm-pgd`, `fgsm-pgd-and-7-more`. */
function slug(names: readonly string[]): string {
  const kept = names.length > SLUG_NAMES + 1 ? names.slice(0, SLUG_NAMES) : names;
  const rest = names.length - kept.length;
  return [...kept, ...(rest > 0 ? [`and-${rest}-more`] : [])].join('-').replace(/[^\w.-]+/g, '-');
}

/**
 * Refuses a folder that a run cannot or must not be written to. Changes nothing on disk.
 *
 * @throws UserError (usage) if it holds something already (a run would mix with it), or nothing to resume;
 *   (failed) if it cannot be written
 */
export async function checkOut(folder: string, claim: Claim): Promise<void> {
  // Where another run began in the same second, this one gets a name beside it: see `makeOut`.
  if (claim === 'by-time') return requireWritable(folder);
  const entries = await entriesOf(folder);
  if (claim === 'resumed' && !entries?.includes(JOURNAL)) {
    throw usageError(`--out ${folder} holds no ${JOURNAL} to resume; leave --resume out to start afresh`);
  }
  if (claim === 'named' && entries !== undefined && entries.length > 0) {
    const remedy = entries.includes(JOURNAL) ? 'add --resume to go on with it, or name another' : 'name another';
    throw usageError(`--out ${folder} is not empty, and nothing is overwritten: ${remedy}`);
  }
  await requireWritable(folder);
}

/** The names in a folder; undefined if there is none. */
async function entriesOf(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') throw usageError(`--out ${folder} is not a folder, or stands below a file`);
    throw fileError('read', folder, error);
  }
}

/** The nearest folder that exists, at or above `folder`, must accept new files. */
async function requireWritable(folder: string): Promise<void> {
  const [nearest] = await missingBelow(folder);
  await access(nearest, constants.W_OK).catch(() => {
    throw new UserError(`--out ${folder} cannot be written: ${nearest} is read-only`);
  });
}

/** The nearest folder that exists, at or above `folder`, and those that are missing from there down. */
async function missingBelow(folder: string): Promise<readonly [nearest: string, ...missing: string[]]> {
  let nearest = resolve(folder);
  const missing: string[] = [];
  while (!(await exists(nearest))) {
    missing.unshift(nearest);
    nearest = dirname(nearest);
  }
  return [nearest, ...missing];
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

export interface Out {
  /** The folder that the run got: a `by-time` one ends in -2, -3 … where others were faster. */
  readonly folder: string;
  /** Takes away again what was made and is still empty. */
  readonly undo: () => Promise<void>;
}

/**
 * Makes the folder. Of several processes that ask at the same time for one that nobody named, each gets its own; a named one
 * belongs to the first that begins its journal there.
 *
 * @throws UserError (failed) if the system refuses
 */
export async function makeOut(wanted: string, claim: Claim): Promise<Out> {
  const made: string[] = [];
  try {
    const [, ...missing] = await missingBelow(dirname(resolve(wanted)));
    // One by one: Node's recursive mkdir never returns below a folder like /proc.
    for (const path of missing) if (await makeAlone(path)) made.push(path);
    const folder = claim === 'by-time' ? await makeFree(wanted) : wanted;
    if (claim === 'by-time' || (await makeAlone(folder))) made.push(folder);
    return { folder, undo: () => removeEmpty(made.toReversed()) };
  } catch (error) {
    await removeEmpty(made.toReversed());
    throw fileError('write', wanted, error);
  }
}

async function makeFree(wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? wanted : `${wanted}-${number}`;
    if (await makeAlone(folder)) return folder;
  }
}

/** Whether this call made the folder; it may be there already. */
async function makeAlone(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Innermost first; stops at the first that holds something. */
async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    if ((await readdir(folder)).length > 0) return;
    await rmdir(folder);
  }
}

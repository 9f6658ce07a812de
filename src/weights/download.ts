/**
 * Files from the network, each fetched once: to a temporary name, from where an interrupted download goes on, then checked
 * and renamed. A file that is there already, put by hand too, is used as it is.
 */
import { createHash } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError, usageError } from '../core/errors.ts';
import { fileError, makeFolder } from '../core/files.ts';
import { gibbonHome } from '../core/home.ts';
import { withFile } from './byte-source.ts';
import { type FetchOptions, fetchPart } from './fetch-part.ts';
import { sha256Of } from './sha256.ts';

export interface Download {
  readonly url: string;
  /** Its name, or its path, in `gibbonHome()`. */
  readonly file: string;
  /** The file's SHA-256 in hex, or the beginning of it; without it, any content is taken. */
  readonly sha256?: string;
  /** What works without the file, as a sentence for who cannot get it. */
  readonly without?: string;
}

const WITHOUT = '--dataset mnist runs with the networks that come with Gibbon';

/**
 * Makes sure that a file is there.
 *
 * @returns its path
 * @throws UserError saying why not, and where to put the file by hand; the signal's reason, if it was aborted
 */
export async function obtain(download: Download, options: FetchOptions = {}): Promise<string> {
  const path = join(gibbonHome(), download.file);
  if (await isThere(path)) {
    const found = await hashOf(path, download);
    if (matches(found, download)) return path;
    throw new UserError(
      `${path} is not what it should be: ${wrongHash(found, download)}. Remove it to download it anew`,
    );
  }
  const part = `${path}.part`;
  try {
    await makeFolder(dirname(path));
    await fetchPart(download.url, part, options, download.sha256 !== undefined);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw unobtainable(error, download, path);
  }
  const found = await hashOf(part, download);
  if (!matches(found, download)) {
    await rm(part, { force: true });
    throw new UserError(
      `${download.url} sent a wrong or damaged file, which was removed: ${wrongHash(found, download)}. ` +
        `Try again, or put the right file at ${path}`,
    );
  }
  await rename(part, path).catch((error) => {
    throw fileError('write', path, error);
  });
  return path;
}

/**
 * The file that a URL of the user's names, under a name of its own: two servers' `model.pth` are two files.
 *
 * @throws UserError (usage) for what is no URL
 */
export function downloadOf(url: string): Download {
  if (!URL.canParse(url)) throw usageError(`${url.slice(0, 200)} is not a URL`);
  const last = basename(new URL(url).pathname)
    .replace(/[^\w.-]/g, '_')
    .slice(-80);
  return { url, file: `${createHash('sha256').update(url).digest('hex').slice(0, 8)}-${last || 'file'}` };
}

/** Any kind of thing may lie there; if it is no file, reading it says so. */
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** In hex. A file of which nothing is known is not read for it. */
const hashOf = async (path: string, { sha256 }: Download): Promise<string> =>
  sha256 === undefined ? '' : withFile(path, sha256Of);

const matches = (found: string, { sha256 = '' }: Download): boolean => found.startsWith(sha256.toLowerCase());

const wrongHash = (found: string, { sha256 = '' }: Download): string =>
  `its SHA-256 begins with ${found.slice(0, Math.max(8, sha256.length))}, not ${sha256}`;

function unobtainable(error: unknown, { url, without = WITHOUT }: Download, path: string): UserError {
  return new UserError(
    `cannot download ${url}: ${reasonOf(error)}. Try again, or get it in another way and put it at ${path}; ${without}`,
  );
}

/** A TypeError of `fetch` says only that it failed; why is in what caused it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause === undefined) {
    // Where several addresses were tried, the message is empty.
    return error.message || ('code' in error ? String(error.code) : error.name);
  }
  return error instanceof TypeError ? reasonOf(error.cause) : `${error.message} (${reasonOf(error.cause)})`;
}

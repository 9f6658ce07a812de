/** What `--weights` and `--from` may name: a file, a URL, or a set of published weights. In the end it is a local file. */
import { statSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import { closest, usageError } from '../core/errors.ts';
import { gibbonHome } from '../core/home.ts';
import { type Download, downloadOf, obtain } from '../weights/download.ts';
import type { FetchOptions, Progress } from '../weights/fetch-part.ts';
import { findPublicWeights, isWeightsVersion, TORCHVISION } from '../weights/torchvision.ts';

/** What a training can do that cannot have the weights to go on from. */
const WITHOUT_FROM = 'without --from, a network learns from nothing';

export interface ResolveOptions {
  /** Told how far a download has come. */
  readonly onProgress?: (file: string, progress: Progress) => void;
  /** Stops a download, which goes on from there next time. */
  readonly signal?: AbortSignal;
  readonly fetch?: FetchOptions['fetch'];
  /** The flag that the word was given to, for errors: `--weights` by default. */
  readonly flag?: string;
}

/**
 * The local file that a word means, fetched if need be. A file that is not there is also looked for in `gibbonHome()`.
 *
 * @param arch - the architecture, of which published weights are a table
 * @throws UserError naming what is missing and how to get it
 */
export async function resolveWeights(word: string, arch: string | undefined, options: ResolveOptions): Promise<string> {
  const { signal, onProgress, fetch, flag = '--weights' } = options;
  const fetched = (download: Download): Promise<string> =>
    obtain(flag === '--from' ? { ...download, without: WITHOUT_FROM } : download, {
      ...(signal === undefined ? {} : { signal }),
      ...(fetch === undefined ? {} : { fetch }),
      ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress(download.file, progress) }),
    });
  if (isWeightsVersion(word)) {
    if (arch === undefined) throw usageError(`${flag} ${word}: whose? Give --arch`);
    return fetched(findPublicWeights(arch, word));
  }
  // Under its published name a file is fetched once, whichever way it is asked for, and its checksum is known.
  if (/^https?:/i.test(word)) return fetched(TORCHVISION.find(({ url }) => url === word) ?? downloadOf(word));
  return fileOf(word, flag);
}

function fileOf(word: string, flag: string): string {
  const home = gibbonHome();
  // What is looked up in the home lies in it.
  const isBelow = !isAbsolute(word) && !normalize(word).startsWith('..');
  const found = [word, ...(isBelow ? [join(home, word)] : [])].find(isFile);
  if (found !== undefined) return found;
  const near = closest(word, [...new Set(TORCHVISION.map(({ version }) => version))]);
  const hint = near === undefined ? ' Give a file, a URL, or imagenet' : ` Did you mean "${near}"?`;
  if (statSync(word, { throwIfNoEntry: false })?.isDirectory()) {
    throw usageError(`${flag} ${word} is a folder; name the file in it`);
  }
  throw usageError(`${flag} ${word}: no such file here${isBelow ? ` or in ${home}` : ''}.${hint}`);
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** What `--weights` and `--from` may name: a file, a URL, or a set of published weights. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../core/errors.ts';
import { gibbonHome } from '../core/home.ts';
import { downloadOf, obtain } from '../weights/download.ts';
import type { Progress } from '../weights/fetch-part.ts';
import { findPublicWeights, isWeightsVersion, TORCHVISION } from '../weights/torchvision.ts';

export interface ResolveOptions {
  /** Told how far a download has come. */
  readonly onProgress?: (file: string, progress: Progress) => void;
  /** Stops a download, which goes on from there next time. */
  readonly signal?: AbortSignal;
}

/**
 * The local file that a word means, fetched if need be. A file that is not there is also looked for in `gibbonHome()`.
 *
 * @param arch - the architecture, of which published weights are a table
 * @throws UserError naming what is missing and how to get it
 */
export async function resolveWeights(word: string, arch: string | undefined, options: ResolveOptions): Promise<string> {
  const { signal, onProgress } = options;
  const fetch = (download: Parameters<typeof obtain>[0]): Promise<string> =>
    obtain(download, {
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress(download.file, progress) }),
    });
  if (isWeightsVersion(word)) {
    if (arch === undefined) throw usageError(`--weights ${word}: whose? Give --arch`);
    return fetch(findPublicWeights(arch, word));
  }
  if (/^https?:/i.test(word)) return fetch(TORCHVISION.find(({ url }) => url === word) ?? downloadOf(word));
  if (isFolder(word)) throw usageError(`--weights ${word} is a folder; name the file in it`);
  if (existsSync(word)) return word;
  const kept = join(gibbonHome(), word);
  if (existsSync(kept)) return kept;
  throw usageError(`--weights ${word}: no such file here or in ${gibbonHome()}; or give a URL, or imagenet`);
}

const isFolder = (word: string): boolean => statSync(word, { throwIfNoEntry: false })?.isDirectory() === true;

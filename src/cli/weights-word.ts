/** What a word means where weights are asked for: published ones, a URL, or a file. In the end it is a file on this disk. */
import { statSync } from 'node:fs';
import { isAbsolute, join, normalize } from 'node:path';
import { closest, usageError } from '../core/errors.ts';
import { gibbonHome } from '../core/home.ts';
import { downloadOf, obtain } from '../weights/download.ts';
import type { FetchOptions } from '../weights/fetch-part.ts';
import { findPublicWeights, TORCHVISION } from '../weights/torchvision.ts';

export interface WeightsRequest extends FetchOptions {
  /** The architecture that they are for: published weights are found by it. */
  readonly arch: string;
  /** The flag that the word was given to, for errors: `--weights` by default. */
  readonly flag?: string;
}

/** `imagenet`, `imagenet-v2`: the weights that torchvision publishes. */
const VERSIONS: readonly string[] = [...new Set(TORCHVISION.map(({ version }) => version))];

/** Whether a word names published weights, which belong to whatever architecture is asked for. */
export const isPublished = (word: string): boolean => VERSIONS.includes(word);

const isUrl = (word: string): boolean => /^https?:\/\//i.test(word);

/**
 * The file that a word means, downloaded if need be. A file is looked for below the working folder, then in Gibbon's home.
 *
 * @returns its path
 * @throws UserError (usage) if there is no such file, or nothing is published for the architecture; UserError if it cannot
 *   be downloaded; the signal's reason, if it was aborted
 */
export async function resolveWeights(word: string, { arch, flag, ...options }: WeightsRequest): Promise<string> {
  if (isPublished(word)) return obtain(findPublicWeights(arch, word), options);
  // Under its published name a file is fetched once, whichever way it is asked for, and its checksum is known.
  if (isUrl(word)) return obtain(TORCHVISION.find(({ url }) => url === word) ?? downloadOf(word), options);
  return fileOf(word, flag ?? '--weights');
}

function fileOf(word: string, flag: string): string {
  const home = gibbonHome();
  // What is looked up in the home lies in it.
  const isBelow = !isAbsolute(word) && !normalize(word).startsWith('..');
  const found = [word, ...(isBelow ? [join(home, word)] : [])].find(isFile);
  if (found !== undefined) return found;
  const near = closest(word, VERSIONS);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  throw usageError(`${flag} ${word}: no such file here${isBelow ? ` or in ${home}` : ''}.${hint}`);
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

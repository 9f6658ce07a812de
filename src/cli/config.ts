/** A config file: a JSON object with the same keys as the flags. */
import { readFile } from 'node:fs/promises';
import { messageOf, usageError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import type { Given } from './flags.ts';

export interface Config {
  readonly given: Given;
  /** How errors call it. */
  readonly source: string;
}

/**
 * The config file that `--config` names, if it names one.
 *
 * @throws UserError (usage) if the file is not there or holds no JSON object
 */
export async function readConfig(file: unknown): Promise<Config | undefined> {
  if (file === undefined) return undefined;
  if (typeof file !== 'string' || file === '') throw usageError('--config needs one value: a JSON file');
  const value = jsonOf(await readText(file), file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`--config ${file} holds no JSON object: write { "attack": "pgd", "images": 100 }`);
  }
  if ('config' in value) throw usageError(`--config ${file} names a config file itself; one is enough`);
  return { given: value as Given, source: file };
}

const readText = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(fileError('read', `--config ${file}`, error).message);
  });

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(`--config ${file} is not JSON: ${messageOf(error)}`);
  }
}

/** A config file: a JSON object with the same keys as the flags. */
import { usageError } from '../core/errors.ts';
import type { Given } from './flags.ts';
import { readJsonFile } from './json-file.ts';

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
  const value = await readJsonFile(file, `--config ${file}`, 'usage');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`--config ${file} holds no JSON object: write { "attack": "pgd", "images": 100 }`);
  }
  if ('config' in value) throw usageError(`--config ${file} names a config file itself; one is enough`);
  return { given: value as Given, source: file };
}

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { JOURNAL, parseRun, type Run } from '../core/run.ts';

/**
 * The run of a folder, from its `run.json`.
 *
 * @throws UserError if there is none yet, for it was interrupted; if there is none, it is not JSON, or a field is wrong, which it names
 */
export async function readRun(folder: string): Promise<Run> {
  const path = join(folder, 'run.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (existsSync(join(folder, JOURNAL)) && !existsSync(path))
      throw new UserError(`interrupted; go on with --out ${folder} --resume`);
    throw fileError('read', path, error);
  }
  return parseRun(jsonOf(text, path), path);
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${messageOf(error)}. Was it cut short? Run the experiment again.`);
  }
}

/** JSON from disk, with errors that name the file. */
import { readFile } from 'node:fs/promises';
import { messageOf, UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';

/**
 * The parsed contents of a JSON file.
 *
 * @param shown - how errors call the file
 * @param kind - whether a bad file is a wrong word on the command line or a failure
 */
export async function readJsonFile(path: string, shown = path, kind: UserError['kind'] = 'failed'): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(fileError('read', shown, error).message, kind);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${shown} is not JSON: ${messageOf(error)}`, kind);
  }
}

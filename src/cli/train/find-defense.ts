import type { Defense } from '../../core/defense.ts';
import { unknownName, usageError } from '../../core/errors.ts';
import { isTraining, knownDefenses } from '../known-defenses.ts';
import { isFile } from '../user-files.ts';

/**
 * A defense by its name, by what the networks trained with it are called, or in a file of the user's own.
 *
 * @throws UserError (usage) if there is none, or the file's calls its networks as another does
 */
export async function findDefense(word: string): Promise<Defense> {
  const before = [...(await knownDefenses([], [])).values()];
  if (isFile(word)) return ownDefense(word, before);
  const found = before.find(({ name, training }) => name === word || training === word);
  if (found !== undefined) return found;
  const names = before.filter(isTraining).flatMap(({ name, training }) => [name, training ?? []].flat());
  throw unknownName('training', word, names);
}

async function ownDefense(file: string, others: readonly Defense[]): Promise<Defense> {
  const own = [...(await knownDefenses([file], [])).values()].at(-1);
  if (own === undefined) throw new Error(`${file} was loaded and is not there`);
  const called = own.training ?? own.name;
  if (!others.some(({ name, training }) => [name, training].includes(called))) return own;
  throw usageError(`${file}: there are networks called ${called} already; give its own another \`training\``);
}

import type { Defense } from '../core/defense.ts';
import { usageError } from '../core/errors.ts';
import { loadDefenses } from '../discover/modules.ts';
import { filesAmong, loadDefenseFile } from './user-files.ts';

/** Whether it is a way of training, and not something around a trained network. */
export const isTraining = ({ trainingLoss, wrap }: Defense): boolean =>
  trainingLoss !== undefined && wrap === undefined;

/**
 * The defenses that the program has, those that train included, and those in the files among `words`: by name.
 *
 * @param taken - names of attacks, whose parameters are flags too
 * @throws UserError if a file holds none, or its name is taken
 */
export async function knownDefenses(
  words: readonly string[],
  taken: Iterable<string>,
): Promise<ReadonlyMap<string, Defense>> {
  const known = new Map(await loadDefenses());
  const attacks = new Set(taken);
  for (const file of filesAmong(words)) {
    const defense = await loadDefenseFile(file);
    const other = known.has(defense.name) ? 'a defense' : attacks.has(defense.name) ? 'an attack' : undefined;
    if (other !== undefined) {
      throw usageError(`${file}: there is ${other} named ${defense.name} already; give the file another name`);
    }
    known.set(defense.name, defense);
  }
  return known;
}

import type { Defense } from '../../core/defense.ts';
import { unknownName } from '../../core/errors.ts';
import { loadDefenses } from '../../discover/modules.ts';

/**
 * A defense by its name, or by what the networks trained with it are called.
 *
 * @throws UserError (usage) if there is none
 */
export async function findDefense(word: string): Promise<Defense> {
  const defenses = [...(await loadDefenses()).values()];
  const found = defenses.find(({ name, training }) => name === word || training === word);
  if (found !== undefined) return found;
  const names = defenses.flatMap(({ name, training }) => [name, training ?? []].flat());
  throw unknownName('training', word, names);
}

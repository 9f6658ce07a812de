/** Which attacks a run makes, and with which parameters. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Attack, type Ensemble, requireNorm } from '../../core/attack.ts';
import { unknownName, usageError } from '../../core/errors.ts';
import { fileError } from '../../core/files.ts';
import type { Threat } from '../../core/threat-model.ts';
import { loadAttacks, nameOf } from '../../discover/modules.ts';
import type { PlannedAttack } from '../../evaluate/plan.ts';
import { planAttack } from '../../evaluate/plan-attack.ts';
import type { Given } from '../flags.ts';
import { paramsOf, refuseIdle } from '../module-flags.ts';
import { filesAmong, isFile, loadAttackFile } from '../user-files.ts';

/** What a perturbation of the same size costs when nobody aims it: always measured beside the named attacks. */
const BASELINE = 'noise';

/** The attacks that were meant: the baseline only where nothing else is. */
export function withoutBaseline(names: readonly string[]): readonly string[] {
  const aimed = names.filter((name) => name !== BASELINE);
  return aimed.length > 0 ? aimed : names;
}

/** The attacks that the program has, and those in the files among `words`: by name. */
export async function knownAttacks(words: readonly string[]): Promise<ReadonlyMap<string, Attack | Ensemble>> {
  const known = new Map(await loadAttacks());
  for (const file of filesAmong(words)) {
    const attack = await loadAttackFile(file);
    if (known.has(attack.name)) {
      throw usageError(`${file}: there is an attack named ${attack.name} already; give the file another name`);
    }
    known.set(attack.name, attack);
  }
  return known;
}

/**
 * The attacks that `words` ask for, in their order, with resolved parameters; the baseline comes last unless it is named.
 *
 * @param given - parsed flags such as `{ 'pgd.steps': 40 }`
 * @param others - what else takes part and has parameters among them: defenses
 * @throws UserError (usage) if a name is unknown, an attack cannot measure the norm, or a parameter's owner takes no part
 */
export function chooseAttacks(
  known: ReadonlyMap<string, Attack | Ensemble>,
  words: readonly string[],
  norm: Threat,
  given: Given,
  others: readonly string[] = [],
): PlannedAttack[] {
  const names = namesOf(known, words, norm);
  const hasBaseline = known.get(BASELINE)?.norms.includes(norm) === true;
  const chosen = [...new Set([...names, ...(hasBaseline ? [BASELINE] : [])])].map((name) => {
    const attack = known.get(name);
    if (attack === undefined) throw unknownName('attack', name, [...known.keys()]);
    requireNorm(attack, norm);
    return attack;
  });
  refuseIdle([...chosen.map(({ name }) => name), ...others], given);
  return chosen.map((attack) => planAttack(attack, paramsOf(attack.name, given), known, norm));
}

/** The files among `words`, with their SHA-256 in hex, by the names of their attacks. */
export async function sourcesOf(
  words: readonly string[],
): Promise<ReadonlyMap<string, Required<Pick<PlannedAttack, 'file' | 'source'>>>> {
  const hashed = filesAmong(words).map(async (file) => {
    const bytes = await readFile(file).catch((error: unknown) => {
      throw fileError('read', file, error);
    });
    const source = createHash('sha256').update(bytes).digest('hex');
    return [nameOf(file), { file, source }] as const;
  });
  return new Map(await Promise.all(hashed));
}

function namesOf(known: ReadonlyMap<string, Attack | Ensemble>, words: readonly string[], norm: Threat): string[] {
  return words.flatMap((word) => {
    if (word === 'all') return [...known.values()].filter(({ norms }) => norms.includes(norm)).map(({ name }) => name);
    return isFile(word) ? [nameOf(word)] : [word];
  });
}

/** Which attacks a run makes, and with which parameters. */
import type { Attack } from '../../core/attack.ts';
import { unknownName, usageError } from '../../core/errors.ts';
import { resolveParams } from '../../core/params.ts';
import type { Norm } from '../../core/threat-model.ts';
import type { Flags, Given } from '../flags.ts';
import { loadAttackFile, loadAttacks } from '../modules.ts';
import { isFile } from '../user-files.ts';

/** What a perturbation of the same size costs when nobody aims it: always measured beside the named attacks. */
const BASELINE = 'noise';

export interface ChosenAttack {
  readonly attack: Attack;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The attacks that the program has, and those in the files among `words`: by name. */
export async function knownAttacks(words: readonly string[]): Promise<ReadonlyMap<string, Attack>> {
  const known = new Map(await loadAttacks());
  for (const file of words.filter(isFile)) {
    const attack = await loadAttackFile(file);
    if (known.has(attack.name)) {
      throw usageError(`${file}: there is an attack named ${attack.name} already; give the file another name`);
    }
    known.set(attack.name, attack);
  }
  return known;
}

/** `--ATTACK.PARAM` for every parameter of every attack. */
export const attackFlags = (attacks: ReadonlyMap<string, Attack>): Flags =>
  Object.fromEntries(
    [...attacks.values()].flatMap(({ name, params }) =>
      Object.entries(params).map(([key, param]) => [`${name}.${key}`, param] as const),
    ),
  );

/**
 * The attacks that `words` ask for, in their order, with resolved parameters; the baseline comes last unless it is named.
 *
 * @param given - parsed flags such as `{ 'pgd.steps': 40 }`
 * @throws UserError (usage) if a name is unknown, an attack cannot measure the norm, or a parameter has no attack
 */
export function chooseAttacks(
  known: ReadonlyMap<string, Attack>,
  words: readonly string[],
  norm: Norm,
  given: Given,
): ChosenAttack[] {
  const names = namesOf(known, words, norm);
  const chosen = [...new Set([...names, BASELINE])].map((name) => {
    const attack = known.get(name);
    if (attack === undefined) throw unknownName('attack', name, [...known.keys()]);
    if (!attack.norms.includes(norm)) {
      throw usageError(`${name} does not attack in ${norm}: it knows ${attack.norms.join(', ')}`);
    }
    return attack;
  });
  refuseIdleParams(
    chosen.map(({ name }) => name),
    given,
  );
  return chosen.map((attack) => ({
    attack,
    params: resolveParams(attack.name, attack.params, paramsOf(attack, given)),
  }));
}

function namesOf(known: ReadonlyMap<string, Attack>, words: readonly string[], norm: Norm): string[] {
  return words.flatMap((word) => {
    if (word === 'all') return [...known.values()].filter(({ norms }) => norms.includes(norm)).map(({ name }) => name);
    return isFile(word) ? [nameOfFile(word)] : [word];
  });
}

const nameOfFile = (file: string): string => file.replace(/^.*[\\/]/, '').replace(/\.[cm]?[jt]s$/, '');

/** `{ 'pgd.steps': 40 }` to `{ steps: 40 }` for pgd. */
const paramsOf = ({ name }: Attack, given: Given): Given =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([flag]) => flag.startsWith(`${name}.`))
      .map(([flag, value]) => [flag.slice(name.length + 1), value]),
  );

/** A parameter of an attack that the run does not make would change nothing, silently. */
function refuseIdleParams(chosen: readonly string[], given: Given): void {
  const idle = Object.keys(given).find((flag) => !chosen.some((name) => flag.startsWith(`${name}.`)));
  if (idle === undefined) return;
  const owner = idle.slice(0, idle.indexOf('.'));
  throw usageError(`--${idle} is given, but ${owner} is not among the attacks: ${chosen.join(', ')}`);
}

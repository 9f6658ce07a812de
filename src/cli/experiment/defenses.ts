/** Which defenses a run's networks are put behind, and with which parameters. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { recordFunction } from '../../compile/recorder.ts';
import type { Classifier } from '../../core/classifier.ts';
import { type Defense, isWrapper, type Seeds, type Wrapper } from '../../core/defense.ts';
import { messageOf, UserError, unknownName, usageError } from '../../core/errors.ts';
import { fileError } from '../../core/files.ts';
import { resolveParams } from '../../core/params.ts';
import { stringHash } from '../../core/rng.ts';
import { behind } from '../../core/training.ts';
import { nameOf } from '../../discover/modules.ts';
import { attackedOf, type Contender, type DefendedBy } from '../../evaluate/plan.ts';
import { tf } from '../../tf.ts';
import type { Given } from '../flags.ts';
import { paramsOf } from '../module-flags.ts';
import { filesAmong, isFile } from '../user-files.ts';

/** The network as it is, which is measured in any case. */
export const NO_DEFENSE = 'none';

/** A defense with the values of its parameters. */
export type PlannedDefense = Pick<DefendedBy, 'defense' | 'params' | 'source'>;

/** Those of them that trained networks can be put behind, by name. */
export const wrappersAmong = (known: ReadonlyMap<string, Defense>): ReadonlyMap<string, Wrapper> =>
  new Map([...known].flatMap(([name, defense]) => (isWrapper(defense) ? [[name, defense] as const] : [])));

/**
 * The defenses that `words` ask for, in their order, with resolved parameters.
 *
 * @param given - parsed flags such as `{ 'jpeg.quality': 50 }`
 * @throws UserError (usage) if a name is unknown, or a defense trains
 */
export async function chooseDefenses(
  known: ReadonlyMap<string, Defense>,
  words: readonly string[],
  given: Given,
): Promise<PlannedDefense[]> {
  const wrappers = wrappersAmong(known);
  const names = words.flatMap((word) => (word === 'all' ? [...wrappers.keys()] : [isFile(word) ? nameOf(word) : word]));
  const chosen = [...new Set(names)].filter((name) => name !== NO_DEFENSE);
  const sources = await sourcesOf(words);
  return chosen.map((name): PlannedDefense => {
    const defense = wrappers.get(name) ?? refuse(known, name, [...wrappers.keys()]);
    const source = sources.get(name);
    const params = resolveParams(name, defense.params, paramsOf(name, given));
    return { defense, params, ...(source === undefined ? {} : { source }) };
  });
}

function refuse(known: ReadonlyMap<string, Defense>, name: string, wrappers: readonly string[]): never {
  const training = known.get(name);
  if (training === undefined) throw unknownName('defense', name, [NO_DEFENSE, ...wrappers]);
  throw usageError(
    `--defense ${name}: it is a way of training, and no trained network can be put behind it. Name it by --training ` +
      `${training.training ?? name}; --defense knows ${wrappers.join(', ')}`,
  );
}

/** SHA-256 of the files among `words`, in hex, by the names of their defenses. */
async function sourcesOf(words: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const hashed = filesAmong(words).map(async (file) => {
    const bytes = await readFile(file).catch((error: unknown) => {
      throw fileError('read', file, error);
    });
    return [nameOf(file), createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return new Map(await Promise.all(hashed));
}

/** What a defense draws from in a run of that seed: the adversary's draws are not those that answer. */
const seedsOf = (seed: number): Seeds => ({
  answer: stringHash(`what answers in a run of seed ${seed}`),
  adversary: stringHash(`what the adversary sees in a run of seed ${seed}`),
});

/** Every contender as it is, and behind each of the defenses. */
export const defendAll = (
  contenders: readonly Contender[],
  defenses: readonly PlannedDefense[],
  seed: number,
): Contender[] =>
  contenders.flatMap((contender) => [contender, ...defenses.map((planned) => defend(contender, planned, seed))]);

/** @throws UserError naming the defense, if it fails */
export function defend(contender: Contender, planned: PlannedDefense, seed: number): Contender {
  const { defense, params } = planned;
  const undefended = contender.training;
  try {
    const { classifier, adversary } = defense.wrap(contender.classifier, params, seedsOf(seed));
    const defended = { ...planned, undefended, ...(adversary === undefined ? {} : { adversary }) };
    return { ...contender, training: behind(undefended, defense.name), classifier, defended };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`defense ${defense.name}: wrap fails: ${messageOf(error).split('\n')[0]}`);
  }
}

/** Images in a rehearsal: more than one, so that a defense made for one is found out. */
const REHEARSED = 2;

/**
 * Looks at what defended networks give, before any work.
 *
 * @throws UserError naming the defense, if it gives no logits or cannot be compiled
 */
export function checkDefended(contenders: readonly Contender[], { compiled }: { readonly compiled: boolean }): void {
  const seen = new Set<string>();
  for (const contender of contenders) {
    const { defended, classifier } = contender;
    // What a defense does depends on it, and on the shape of the images.
    const key = JSON.stringify([defended?.defense.name, classifier.input]);
    if (defended === undefined || seen.has(key)) continue;
    seen.add(key);
    for (const one of new Set([classifier, attackedOf(contender)])) rehearse(one, defended.defense.name, compiled);
  }
}

function rehearse({ logits, input, classes }: Classifier, defense: string, compiled: boolean): void {
  const shape: [number, number, number, number] = [REHEARSED, ...input];
  const requireLogits = (found: tf.Tensor): tf.Tensor => {
    if (found.shape.join() === [REHEARSED, classes].join()) return found;
    const wanted = `[${REHEARSED}, ${classes}]`;
    throw new Error(`logits of ${REHEARSED} images are [${found.shape.join(', ')}]; they must be ${wanted}`);
  };
  try {
    if (compiled)
      recordFunction(({ x }) => ({ y: requireLogits(logits(x as tf.Tensor4D)) }), { x: { shape } }, 'frozen');
    else tf.tidy(() => requireLogits(logits(tf.zeros(shape))));
  } catch (error) {
    throw new UserError(`defense ${defense}: ${messageOf(error).split('\n')[0]}`);
  }
}

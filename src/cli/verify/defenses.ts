/** Which defense the network of saved images stands behind, put together again as the run had it. */
import type { Defense } from '../../core/defense.ts';
import { messageOf, UserError, usageError } from '../../core/errors.ts';
import { resolveParams } from '../../core/params.ts';
import type { Run } from '../../core/run.ts';
import { trainingWords } from '../../core/training.ts';
import { nameOf } from '../../discover/modules.ts';
import { type PlannedDefense, wrappersAmong } from '../experiment/defenses.ts';
import { knownDefenses } from '../known-defenses.ts';
import { isFile } from '../user-files.ts';

type Known = ReadonlyMap<string, Defense>;

/**
 * The defenses that the program has, and those in the files that the user names. Nothing that a run.json names is executed.
 *
 * @throws UserError if a file holds none, if what is named is no file, or if no image of the run was made behind it
 */
export function defensesFor({ saved = [] }: Run, files: readonly string[]): Promise<Known> {
  const behind = new Set(saved.map(({ training }) => trainingWords(training).defense));
  for (const file of files) {
    if (!isFile(file)) throw usageError(`--defense ${file}: name a file; what run.json names is found without it`);
    if (!behind.has(nameOf(file))) throw usageError(`--defense ${file}: no saved image is of a network behind it`);
  }
  return knownDefenses(files, []);
}

/** A network's training as it is called without its defense, and that defense. */
export interface Standing {
  readonly training: string;
  readonly planned: PlannedDefense | undefined;
}

/**
 * What a network of the run stands behind, with the parameters that the run gives.
 *
 * @throws UserError if the defense is unknown here, or the run does not say how it was set
 */
export function standingOf({ defenses = [] }: Run, called: string, known: Known): Standing {
  const { training, defense: name, file } = trainingWords(called);
  const said = defenses.find((one) => one.name === name);
  const wrapper = name === undefined ? undefined : wrappersAmong(known).get(name);
  // A training may have such a name of its own.
  if (name === undefined || (said === undefined && wrapper === undefined))
    return { training: called, planned: undefined };
  if (said === undefined)
    throw new UserError(`run.json does not say how ${name} was set, which ${called} stands behind`);
  if (wrapper === undefined) {
    throw usageError(`${name} is a defense of its owner's, and code: name its file by --defense ${name}.ts`);
  }
  return {
    training: file === undefined ? training : `${training}/${file}`,
    planned: { defense: wrapper, params: paramsOf(wrapper, said.params) },
  };
}

function paramsOf({ name, params }: Defense, said: Readonly<Record<string, unknown>>): PlannedDefense['params'] {
  try {
    return resolveParams(name, params, said);
  } catch (error) {
    throw new UserError(`run.json sets the defense ${name} as it cannot be set here: ${messageOf(error)}`);
  }
}

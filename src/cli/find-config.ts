/** Where a config file is looked for: where its name points to, then among those that come with the program. */
import { readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { closest, usageError } from '../core/errors.ts';
import { PACKAGE_ROOT } from './paths.ts';

const FOLDER = 'experiments';
const ENDING = '.json';

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** The config files that come with the program, by their names without ending. */
export const bundledConfigs = (): readonly string[] =>
  readdirSync(join(PACKAGE_ROOT, FOLDER))
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .sort();

/**
 * The path of a config file: `mine.json` from `folder`, else one that comes with the program, with or without its folder and
 * its ending: `experiments/panda.json`, `panda`.
 *
 * @param called - how errors call it
 * @throws UserError (usage) if there is none, naming those that come with the program
 */
export function findConfig(word: string, folder: string, called: string): string {
  const path = isAbsolute(word) ? word : join(folder, word);
  const own = [path, `${path}${ENDING}`].find((one) => isThere(one) && !statSync(one).isDirectory());
  if (own !== undefined) return own;
  const bundled = bundledConfigs();
  const name = bundledName(word);
  if (bundled.includes(name)) return join(PACKAGE_ROOT, FOLDER, `${name}${ENDING}`);
  if (isThere(path)) throw usageError(`${called} is a folder; name the file in it`);
  const near = closest(name, bundled);
  const hint = near === undefined ? '' : `. Did you mean ${near}?`;
  throw usageError(
    `cannot read ${called}: no such file, nor one that comes with the program: ${bundled.join(', ')}${hint}`,
  );
}

/** `panda` of `panda`, `panda.json`, `experiments/panda.json`, `./experiments/panda`. */
function bundledName(word: string): string {
  const plain = normalize(word);
  const inFolder = plain.startsWith(FOLDER + sep) ? plain.slice(FOLDER.length + 1) : plain;
  return inFolder.endsWith(ENDING) ? inFolder.slice(0, -ENDING.length) : inFolder;
}

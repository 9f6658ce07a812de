/** TypeScript files of the user's own, anywhere on disk: loaded as modules, with `gibbon` importable from them. */
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Attack, Ensemble } from '../core/attack.ts';
import type { Defense } from '../core/defense.ts';
import { UserError, usageError } from '../core/errors.ts';
import { shortPath } from '../core/files.ts';
import { reasonOf } from '../discover/load-error.ts';
import { attackIn, defenseIn, MODULE_ROOT } from '../discover/modules.ts';

const SOURCE = import.meta.url.endsWith('.ts');

/**
 * Runs in Node's loader thread, hence as text. `gibbon` means this very program, so that its TensorFlow.js is shared; and
 * TypeScript is always an ES module, whatever package.json stands above the file.
 */
const HOOKS = `
let index;
export const initialize = (url) => { index = url; };
export const resolve = async (specifier, context, next) => {
  const found = await next(specifier === 'gibbon' ? index : specifier, context);
  return new URL(found.url).pathname.endsWith('.ts') ? { ...found, format: 'module' } : found;
};`;

let prepared: Promise<void> | undefined;

async function prepareLoader(): Promise<void> {
  // Run from its sources, the program is itself loaded through tsx already.
  if (!SOURCE) (await import('tsx/esm/api')).register();
  const index = pathToFileURL(join(MODULE_ROOT, 'src', SOURCE ? 'index.ts' : 'index.js')).href;
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data: index });
}

/** Whether a word on the command line means a file rather than a name. */
export const isFile = (word: string): boolean => /\.[cm]?[jt]s$/.test(word);

/**
 * The module of a TypeScript or JavaScript file.
 *
 * @throws UserError if it is not there, does not parse, or fails while loading: one line, with the position
 */
export async function importUserFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = isAbsolute(file) ? file : resolve(file);
  if (!existsSync(path)) throw usageError(`${file}: no such file`);
  prepared ??= prepareLoader();
  await prepared;
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw new UserError(`${shortPath(path)} cannot be loaded: ${reasonOf(error, path)}`);
  }
}

/** The files among words, each once. */
export const filesAmong = (words: readonly string[]): string[] => [
  ...new Map(words.filter(isFile).map((file) => [resolve(file), file])).values(),
];

/** The attack in a file of the user's own. Errors as `importUserFile`, and for what the file's attack lacks. */
export const loadAttackFile = async (file: string): Promise<Attack | Ensemble> =>
  attackIn(file, await importUserFile(file));

/** The defense in a file of the user's own. Errors as `loadAttackFile`. */
export const loadDefenseFile = async (file: string): Promise<Defense> => defenseIn(file, await importUserFile(file));

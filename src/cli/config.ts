/** Config files: JSON objects with the same keys as the flags, which may extend others. */
import { readFile, realpath } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { messageOf, usageError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { findConfig } from './find-config.ts';
import { type Given, optional, word } from './flags.ts';

/** What one config file says. */
export interface Config {
  readonly given: Given;
  /** How errors call it. */
  readonly source: string;
}

export const configFlag = optional(
  word(
    '',
    'JSON file with the same keys as these flags, yours or one that comes with the program; flags win',
    'a file',
  ),
);

/** Keys that are no flags: what is extended, and where an editor finds the keys that there are. */
export const EXTENDS = 'extends';
export const SCHEMA = '$schema';

/**
 * The config file that `--config` names, behind those that it extends: what comes later wins. None if none is named.
 *
 * @throws UserError (usage) if a file is not there, holds no JSON object, or extends itself by whatever way
 */
export async function readConfig(file: unknown): Promise<readonly Config[]> {
  if (file === undefined) return [];
  if (typeof file !== 'string' || file === '') throw usageError('--config needs one value: a JSON file');
  return readChain({ file, folder: '.', called: `--config ${file}` }, []);
}

/** All that config files say, the later over the earlier. */
export const together = (configs: readonly Config[]): Given => Object.assign({}, ...configs.map(({ given }) => given));

const EVERYTHING = 'all';

/**
 * What files and the command line say together, the later over the earlier. Who names other attacks (or defenses, or ways of
 * training) than an earlier one does not inherit the parameters of those that then take no part.
 */
export const inherited = (layers: readonly Given[]): Given =>
  layers.reduce<Given>((below, layer) => {
    const gone = Object.entries(layer).flatMap(([key, value]) => {
      const here = wordsIn(value);
      return here.includes(EVERYTHING) ? [] : wordsIn(below[key]).filter((name) => !here.includes(name));
    });
    const kept = Object.entries(below).filter(([key]) => !gone.some((owner) => key.startsWith(`${owner}.`)));
    return { ...Object.fromEntries(kept), ...layer };
  }, {});

const wordsIn = (value: unknown): string[] => [value].flat().filter((one) => typeof one === 'string');

/** A file as it was named, where it is meant from, and how errors call it. */
interface Naming {
  readonly file: string;
  readonly folder: string;
  readonly called: string;
}

/** A file on the way from the one that was named to that which extends nothing. */
interface Link {
  readonly path: string;
  readonly source: string;
}

async function readChain({ file, folder, called }: Naming, chain: readonly Link[]): Promise<Config[]> {
  const found = findConfig(file, folder, called);
  const path = await realpath(found);
  // The first is called as it was on the command line.
  const source = chain.length === 0 ? file : relative('', found) || found;
  const links = [...chain, { path, source }];
  if (chain.some((link) => link.path === path)) {
    throw usageError(`a config file extends itself: ${links.map((link) => link.source).join(' extends ')}`);
  }
  const { [EXTENDS]: base, [SCHEMA]: _, ...given } = objectOf(await readText(found, called), called);
  if ('config' in given) throw usageError(`${called} names a config file itself; to build on one, write "extends"`);
  if (base === undefined) return [{ given, source }];
  if (typeof base !== 'string' || base === '') throw usageError(`"extends" in ${source} needs one value: a JSON file`);
  const inherited = await readChain(
    { file: base, folder: dirname(found), called: `${base} (extended by ${source})` },
    links,
  );
  return [...inherited, { given, source }];
}

const readText = (file: string, called: string): Promise<string> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(fileError('read', called, error).message);
  });

function objectOf(text: string, called: string): Record<string, unknown> {
  const value = jsonOf(text, called);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw usageError(`${called} holds no JSON object: write { "attack": "pgd", "images": 100 }`);
  }
  return value as Record<string, unknown>;
}

function jsonOf(text: string, called: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError(`${called} is not JSON: ${messageOf(error)}`);
  }
}

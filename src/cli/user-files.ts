/** TypeScript files of the user's own, anywhere on disk: loaded as modules, with `gibbon` importable from them. */
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, UserError, usageError } from '../core/errors.ts';
import { MODULE_ROOT, shortPath } from './paths.ts';

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

/** An error of loading `path`, in one line: the transformer's `file:line:column: ERROR: …`, or the message with its place in the file. */
export function reasonOf(error: unknown, path: string): string {
  const message = messageOf(error);
  const transform = /^(.*):(\d+):(\d+): ERROR: (.*)$/m.exec(message);
  if (transform !== null) return `line ${transform[2]}, column ${transform[3]}: ${transform[4]}`;
  const frame = error instanceof Error ? error.stack?.split('\n').find((line) => line.includes(path)) : undefined;
  const position = frame === undefined ? null : /:(\d+):(\d+)\)?$/.exec(frame);
  const firstLine = message.split('\n')[0] ?? '';
  return position === null ? firstLine : `line ${position[1]}, column ${position[2]}: ${firstLine}`;
}

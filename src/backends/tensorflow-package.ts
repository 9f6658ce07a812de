/** The package that brings TensorFlow's own library, and where it may lie. */
import { existsSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../core/errors.ts';

/** The first that is there is taken: one for NVIDIA's graphics processors, one for CPUs. */
export const ADDONS = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** What the program and the package must have one copy of. */
export const SHARED = '@tensorflow/tfjs';

/** The folder, in the program's own, that `npm run setup:tensorflow` fills. */
export const SETUP_FOLDER = '.tensorflow';
/** The environment's word for another one. */
export const SETUP_VARIABLE = 'GIBBON_TENSORFLOW';

export const SETUP = 'npm run setup:tensorflow';

const HERE = fileURLToPath(import.meta.url);

/**
 * The main file of the package: among what the environment names, else of what the setup made, else of what npm installed.
 *
 * @throws UserError where there is none
 */
export function findAddon(named = process.env[SETUP_VARIABLE], from = HERE): string {
  const [main] = addonsIn(named, from);
  if (main !== undefined) return main;
  const where = isNamed(named) ? `in ${named}, which ${SETUP_VARIABLE} names` : 'here';
  throw new UserError(
    `--backend tensorflow needs TensorFlow's own library, and neither ${ADDONS.join(' nor ')} is ${where}: run ${SETUP}`,
  );
}

/** Whether there is one, be it fit for use or not. */
export const hasAddon = (named = process.env[SETUP_VARIABLE], from = HERE): boolean => addonsIn(named, from).length > 0;

/** What is another when another one is taken, or the same was set up anew; null where there is none. */
export function addonStamp(named = process.env[SETUP_VARIABLE], from = HERE): string | null {
  const [main] = addonsIn(named, from);
  return main === undefined ? null : `${main} ${statSync(main).ctimeMs}`;
}

function addonsIn(named: string | undefined, from: string): string[] {
  const folders = isNamed(named)
    ? [named]
    : [...above(from).map((folder) => join(folder, SETUP_FOLDER)), dirname(from)];
  return folders.flatMap((folder) => ADDONS.flatMap((addon) => resolveFrom(folder, addon) ?? []));
}

const isNamed = (folder: string | undefined): folder is string => folder !== undefined && folder !== '';

/**
 * Refuses a package that would register its backend with a copy of TensorFlow.js of its own.
 *
 * @param main - its main file
 * @throws UserError naming both copies
 */
export function requireOneCopy(main: string, from = HERE): void {
  const [own, other] = [resolveFrom(dirname(from), SHARED), resolveFrom(dirname(main), SHARED)];
  if (own === other) return;
  throw new UserError(
    `--backend tensorflow: ${main} brings a copy of ${SHARED} of its own (${other ?? 'which is missing'}), and the ` +
      `program computes with ${own}; one must serve both: run ${SETUP} -- --anew`,
  );
}

/** Where a package's main file lies for code in that folder; undefined where it is not installed. */
function resolveFrom(folder: string, name: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  try {
    return realpathSync(createRequire(join(folder, 'any.js')).resolve(name));
  } catch {
    return undefined;
  }
}

/** Every folder above a file, the nearest first. */
function above(file: string): string[] {
  const folder = dirname(file);
  return folder === file ? [] : [folder, ...above(folder)];
}

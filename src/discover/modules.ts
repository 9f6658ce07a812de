/** Attacks and defenses, found by listing their folders: a file dropped in is known at once, by its name. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ACCESS, type Attack, type Ensemble } from '../core/attack.ts';
import type { Defense } from '../core/defense.ts';
import { UserError } from '../core/errors.ts';
import { shortPath } from '../core/files.ts';
import type { Params } from '../core/params.ts';
import { THREATS } from '../core/threat-model.ts';
import { reasonOf } from './load-error.ts';

/** The folder that holds attacks/, defenses/ and src/: the package's root, or its `dist` once built. */
export const MODULE_ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const isModule = (file: string): boolean => /\.[jt]s$/.test(file) && !file.endsWith('.d.ts');

/** A module is called by its file: `attacks/pgd.ts` is `pgd`. */
export const nameOf = (file: string): string => file.replace(/^.*[\\/]/, '').replace(/\.[cm]?[jt]s$/, '');

interface Kind<T> {
  readonly folder: string;
  readonly noun: string;
  /** What a module's default export lacks, in words; none means it is well formed. */
  faults(value: Readonly<Record<string, unknown>>): string[];
  readonly cast: (value: unknown) => T;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isUrl = (value: unknown): boolean => typeof value === 'string' && /^https:\/\/\S+$/.test(value);

/** A parameter's declaration, as `p.integer(…)` and its siblings make it. */
const isParam = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'default' in value && 'parse' in value && isFunction(value.parse);

const isParams = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every(isParam);

const sayWhichFail = (rules: readonly (readonly [holds: boolean, fault: string])[]): string[] =>
  rules.filter(([holds]) => !holds).map(([, fault]) => fault);

const commonFaults = ({ title, paper, params }: Readonly<Record<string, unknown>>): string[] =>
  sayWhichFail([
    [isText(title), 'title: a text'],
    [isUrl(paper), 'paper: an https URL'],
    [isParams(params), 'params: a record of p.integer(…), p.number(…) and so on ({} for none)'],
  ]);

const stageFaults = ({ stages }: Readonly<Record<string, unknown>>): string[] =>
  sayWhichFail([[isFunction(stages), "stages: (params, norm) => [{ attack: 'pgd' }, …]"]]);

const stepFaults = ({ steps, init, step }: Readonly<Record<string, unknown>>): string[] =>
  sayWhichFail([
    [isFunction(steps), 'steps: (params) => how many times step is applied'],
    [isFunction(init), 'init: (x, context) => the first state'],
    [isFunction(step), 'step: (state, context) => the next state'],
  ]);

const ATTACKS: Kind<Attack | Ensemble> = {
  folder: 'attacks',
  noun: 'attack',
  faults: (value) => [
    ...commonFaults(value),
    ...sayWhichFail([
      [
        Array.isArray(value.norms) && value.norms.length > 0 && value.norms.every((norm) => THREATS.includes(norm)),
        `norms: some of ${THREATS.join(', ')}`,
      ],
      [ACCESS.some((access) => access === value.access), `access: one of ${ACCESS.join(', ')}`],
    ]),
    ...('stages' in value ? stageFaults(value) : stepFaults(value)),
  ],
  cast: (value) => value as Attack | Ensemble,
};

const DEFENSES: Kind<Defense> = {
  folder: 'defenses',
  noun: 'defense',
  faults: (value) => [
    ...commonFaults(value),
    ...sayWhichFail([
      [
        isFunction(value.trainingLoss) || isFunction(value.wrap),
        'trainingLoss: (context) => (model) => ({ loss, logits }); or wrap',
      ],
      [
        !isFunction(value.trainingLoss) || typeof value.adversarial === 'boolean',
        'adversarial: true if it trains on images that an adversary made in the ball, else false',
      ],
    ]),
  ],
  cast: (value) => value as Defense,
};

/** The well-formed default export of a module, or an error that names what is missing. */
function moduleOf<T extends { readonly name: string; readonly params: Params }>(
  kind: Kind<T>,
  file: string,
  exported: Readonly<Record<string, unknown>>,
): T {
  const value = exported.default;
  if (typeof value !== 'object' || value === null) {
    throw new UserError(`${file} has no default export: write export default define${capital(kind.noun)}({ … })`);
  }
  const record = value as Readonly<Record<string, unknown>>;
  const faults = kind.faults(record);
  if (faults.length > 0) throw new UserError(`${file} is not a complete ${kind.noun}; it lacks ${faults.join('; ')}`);
  if (record.name !== nameOf(file)) {
    const found = JSON.stringify(record.name) ?? 'no name';
    throw new UserError(
      `${file} calls its ${kind.noun} ${found}: the name is the file's name, so write name: '${nameOf(file)}'`,
    );
  }
  return kind.cast(value);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

async function loadFolder<T extends { readonly name: string; readonly params: Params }>(
  kind: Kind<T>,
  folder: string,
): Promise<ReadonlyMap<string, T>> {
  const files = (await readdir(folder)).filter(isModule).sort();
  const modules = files.map(async (file) => {
    const path = join(folder, file);
    const exported = await import(pathToFileURL(path).href).catch((error: unknown) => {
      throw new UserError(`${shortPath(path)} cannot be loaded: ${reasonOf(error, path)}`);
    });
    return moduleOf(kind, shortPath(path), exported);
  });
  return new Map((await Promise.all(modules)).map((module) => [module.name, module]));
}

/**
 * Every attack of a folder (the program's own by default), by name, in alphabetical order.
 *
 * @throws UserError naming the file, and what it lacks, if one is malformed
 */
export const loadAttacks = (
  folder = join(MODULE_ROOT, ATTACKS.folder),
): Promise<ReadonlyMap<string, Attack | Ensemble>> => loadFolder(ATTACKS, folder);

/** Every defense of a folder (the program's own by default), by name, in alphabetical order. Errors as `loadAttacks`. */
export const loadDefenses = (folder = join(MODULE_ROOT, DEFENSES.folder)): Promise<ReadonlyMap<string, Defense>> =>
  loadFolder(DEFENSES, folder);

/**
 * The attack that a module exports.
 *
 * @throws UserError naming the file, and what it lacks
 */
export const attackIn = (file: string, exported: Readonly<Record<string, unknown>>): Attack | Ensemble =>
  moduleOf(ATTACKS, file, exported);

/** The defense that a module exports. Errors as `attackIn`. */
export const defenseIn = (file: string, exported: Readonly<Record<string, unknown>>): Defense =>
  moduleOf(DEFENSES, file, exported);

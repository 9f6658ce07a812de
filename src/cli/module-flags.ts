/** `--OWNER.PARAM VALUE`: the parameters of attacks, defenses and schedules as flags. */
import { usageError } from '../core/errors.ts';
import type { Params } from '../core/params.ts';
import type { Flags, Given } from './flags.ts';

interface Owner {
  readonly name: string;
  readonly params: Params;
}

/** A flag for every parameter of every owner. */
export const flagsOfModules = (owners: Iterable<Owner>): Flags =>
  Object.fromEntries(
    [...owners].flatMap(({ name, params }) =>
      Object.entries(params).map(([key, param]) => [`${name}.${key}`, param] as const),
    ),
  );

/** `{ 'pgd.steps': 40 }` to `{ steps: 40 }` for pgd. */
export const paramsOf = (owner: string, given: Given): Given =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([flag]) => flag.startsWith(`${owner}.`))
      .map(([flag, value]) => [flag.slice(owner.length + 1), value]),
  );

/**
 * Refuses a parameter of an owner that takes no part: it would change nothing, silently.
 *
 * @param taking - the owners that take part
 * @throws UserError (usage)
 */
export function refuseIdle(taking: readonly string[], given: Given): void {
  const idle = Object.keys(given).find((flag) => !taking.some((name) => flag.startsWith(`${name}.`)));
  if (idle === undefined) return;
  const owner = idle.slice(0, idle.indexOf('.'));
  throw usageError(`--${idle} is given, but ${owner} takes no part: ${taking.join(', ')} do`);
}

/**
 * Flags of a command, read from the command line and from a config file. A flag is a parameter (default, words of help,
 * parser): everything arrives as a string and is parsed by its own declaration, so `--seed abc` is an error and not NaN.
 */
import { closest, usageError } from '../core/errors.ts';
import type { Param, Params, Values } from '../core/params.ts';

export interface Flag<T> extends Param<T> {
  /** Takes several values: separated by commas, or by giving the flag again. */
  readonly list?: true;
  /** Of a list: what each of its values is. */
  readonly item?: Param<unknown>;
  /** The default as help shows it, where the value itself says too little. */
  readonly shown?: string;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** What stands on the command line or in a config file, before it is parsed: flag name to word, words, or `true`. */
export type Given = Readonly<Record<string, unknown>>;

/** Values separated by commas, each parsed by `item`; a JSON array in a config file. At least one. */
export const listOf = <T>(
  item: Param<T>,
  initial: readonly T[],
  label: string,
  shown?: string,
): Flag<readonly T[]> => ({
  default: initial,
  label,
  accepts: `a comma-separated list, each ${item.accepts}`,
  ...{ list: true, item },
  ...(shown === undefined ? {} : { shown }),
  parse: (given) => {
    const words = (Array.isArray(given) ? given : [given]).flatMap((word: unknown) =>
      typeof word === 'string' ? word.split(',').map((part) => part.trim()) : [word],
    );
    const values = words.map((word) => item.parse(word));
    return values.length > 0 && values.every((value) => value !== undefined) ? (values as T[]) : undefined;
  },
});

/** The same flag, absent (null) unless given. */
export const optional = <T>(param: Param<T>, shown = 'none'): Flag<T | null> => ({ ...param, default: null, shown });

/** A word that is not empty: a name, a path. */
export const word = (initial: string, label: string, accepts: string): Flag<string> => ({
  default: initial,
  label,
  accepts,
  parse: (given) => (typeof given === 'string' && given.trim() !== '' ? given : undefined),
});

/** One of a few words, in either case: `--norm linf` and `--norm Linf`. */
export const oneOf = <const T extends string>(initial: T, options: readonly T[], label: string): Flag<T> => ({
  default: initial,
  label,
  accepts: `one of ${options.map((option) => option.toLowerCase()).join(', ')}`,
  options: options.map((option) => option.toLowerCase()),
  parse: (given) =>
    typeof given === 'string' ? options.find((option) => option.toLowerCase() === given.toLowerCase()) : undefined,
});

/**
 * Refuses flags that nobody declared.
 *
 * @param source - `undefined` for the command line, else the config file
 * @throws UserError (usage) with "did you mean"
 */
function refuseUnknown(known: readonly string[], given: Given, source?: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = closest(name, known);
    const shown = (flag: string): string =>
      source === undefined ? `${flag.length === 1 ? '-' : '--'}${flag}` : `"${flag}"`;
    const culprit = source === undefined ? `unknown flag ${shown(name)}` : `unknown key ${shown(name)} in ${source}`;
    throw usageError(`${culprit}.${near === undefined ? '' : ` Did you mean ${shown(near)}?`} --help lists them all`);
  }
}

/** The values given, parsed by their flags; flags not given are absent. */
export function parseGiven(flags: Flags, given: Given, source?: string): Record<string, unknown> {
  refuseUnknown(Object.keys(flags), given, source);
  const parsed = Object.entries(given).map(([name, value]) => {
    const flag = flags[name] as Flag<unknown>;
    const shown = source === undefined ? `--${name}` : `"${name}" in ${source}`;
    if (source === undefined && Array.isArray(value) && flag.list !== true) {
      throw usageError(`${shown} is given ${value.length} times; it takes one value`);
    }
    const result = flag.parse(value);
    if (result !== undefined) return [name, result] as const;
    if (value === '' || value === true) throw usageError(`${shown} needs a value: ${flag.accepts}`);
    throw usageError(`${shown} is ${JSON.stringify(value)}; it must be ${flag.accepts}`);
  });
  return Object.fromEntries(parsed);
}

/** Every declared flag's value: the given ones laid over the defaults. */
export function withDefaults<F extends Params>(flags: F, parsed: Given): Values<F> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, name in parsed ? parsed[name] : flag.default]),
  ) as Values<F>;
}

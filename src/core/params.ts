/**
 * Parameters of attacks, defenses and training: one declaration gives the default, the TypeScript type, the range check,
 * the command-line flag, the label in reports and the line of documentation.
 */
import { closest, usageError } from './errors.ts';

/** A declared parameter: what it is by default, and which words stand for its values. */
export interface Param<T> {
  readonly default: T;
  /** What it is, with its unit: `gradient steps`. */
  readonly label: string;
  /** What it accepts, in words: `a whole number, at least 1`. */
  readonly accepts: string;
  /** The value that a command-line word or a JSON value stands for; `undefined` if it stands for none. */
  readonly parse: (given: unknown) => T | undefined;
  /** The words that it accepts, where they are few. */
  readonly options?: readonly string[];
  /** Of a number: whether it is whole, and how large it may be. */
  readonly number?: Range & { readonly whole: boolean };
}

export type Params = Readonly<Record<string, Param<unknown>>>;

/** The values that belong to declared parameters: `{ steps: Param<number> }` gives `{ steps: number }`. */
export type Values<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Larger than this, and not equal to it. */
  readonly above?: number;
  /** Smaller than this, and not equal to it. */
  readonly below?: number;
}

/** A number written as `0.1`, `1e-3` or, as distances often are, as a fraction `8/255`. */
export function parseNumber(given: unknown): number | undefined {
  if (typeof given === 'number') return Number.isFinite(given) ? given : undefined;
  if (typeof given !== 'string') return undefined;
  const decimal = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:\/\s*(\d+\.?\d*|\.\d+)\s*)?$/.exec(given);
  if (decimal === null) return undefined;
  const value = Number(decimal[1]) / Number(decimal[2] ?? 1);
  return Number.isFinite(value) ? value : undefined;
}

const inRange = (value: number, { min, max, above, below }: Range): boolean =>
  (min === undefined || value >= min) &&
  (max === undefined || value <= max) &&
  (above === undefined || value > above) &&
  (below === undefined || value < below);

function rangeInWords({ min, max, above, below }: Range): string {
  if (min !== undefined && max !== undefined) return `, ${min} to ${max}`;
  const limits = Object.entries({ 'at least': min, above, 'at most': max, below });
  const stated = limits.flatMap(([words, limit]) => (limit === undefined ? [] : `${words} ${limit}`));
  return stated.length === 0 ? '' : `, ${stated.join(' and ')}`;
}

/** Declares parameters, by the kind of their values: `p.integer(10, 'gradient steps', { min: 1 })`. */
export const p = {
  /** A whole number. */
  integer: (initial: number, label: string, range: Range = {}): Param<number> => ({
    default: initial,
    label,
    accepts: `a whole number${rangeInWords(range)}`,
    number: { ...range, whole: true },
    parse: (given) => {
      const value = parseNumber(given);
      return value !== undefined && Number.isSafeInteger(value) && inRange(value, range) ? value : undefined;
    },
  }),

  /** A real number; a fraction such as `8/255` is understood. */
  number: (initial: number, label: string, range: Range = {}): Param<number> => ({
    default: initial,
    label,
    accepts: `a number${rangeInWords(range)}`,
    number: { ...range, whole: false },
    parse: (given) => {
      const value = parseNumber(given);
      return value !== undefined && inRange(value, range) ? value : undefined;
    },
  }),

  /** A real number, or `auto` (null): whatever the formula in `label` says. */
  optionalNumber: (label: string, range: Range = {}): Param<number | null> => ({
    default: null,
    label,
    accepts: `a number${rangeInWords(range)}, or auto`,
    number: { ...range, whole: false },
    parse: (given) => {
      if (given === null || given === 'auto') return null;
      const value = parseNumber(given);
      return value !== undefined && inRange(value, range) ? value : undefined;
    },
  }),

  /** `true` or `false`; as a flag without a value, `true`. */
  boolean: (initial: boolean, label: string): Param<boolean> => ({
    default: initial,
    label,
    accepts: 'true or false',
    parse: (given) => {
      if (given === true || given === 'true' || given === '') return true;
      return given === false || given === 'false' ? false : undefined;
    },
  }),

  /** One of a few words. */
  choice: <const T extends string>(initial: NoInfer<T>, options: readonly T[], label: string): Param<T> => ({
    default: initial,
    label,
    accepts: `one of ${options.join(', ')}`,
    options,
    parse: (given) => options.find((option) => option === given),
  }),

  /** A word or a comma-separated list that its owner understands (`milestones`, a nested attack's name). */
  text: (initial: string, label: string): Param<string> => ({
    default: initial,
    label,
    accepts: 'a word',
    parse: (given) => (typeof given === 'string' ? given : undefined),
  }),
};

/**
 * The declared parameters with the given values laid over the defaults.
 *
 * @param owner - whose parameters they are, for the error: `pgd`
 * @throws UserError (usage) naming the unknown parameter or the value that is not accepted
 */
export function resolveParams<P extends Params>(
  owner: string,
  params: P,
  given: Readonly<Record<string, unknown>> = {},
): Values<P> {
  const names = Object.keys(params);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const near = closest(name, names);
    const known = names.length === 0 ? `${owner} has no parameters` : `${owner} has: ${names.join(', ')}`;
    throw usageError(
      `unknown parameter --${owner}.${name}.${near === undefined ? '' : ` Did you mean "${near}"?`} ${known}`,
    );
  }
  const values = names.map((name) => {
    const param = params[name] as Param<unknown>;
    if (!Object.hasOwn(given, name)) return [name, param.default] as const;
    const value = param.parse(given[name]);
    if (value === undefined) {
      throw usageError(`--${owner}.${name} is ${JSON.stringify(given[name])}; it must be ${param.accepts}`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(values) as Values<P>;
}

/** From the words of a command line to flag names and unparsed values, through yargs. */
import yargs, { type Argv } from 'yargs';
import { parseNumber } from '../core/params.ts';
import type { Flag, Flags, Given } from './flags.ts';

/** yargs guesses types, splits dotted names and renames flags unless told not to. */
const TAKE_AS_WRITTEN = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'strip-aliased': true,
};

/** A yargs instance that leaves every word as it was written and never ends the process. */
export const takeAsWritten = (words: readonly string[]): Argv =>
  yargs(joinNegatives(words)).parserConfiguration(TAKE_AS_WRITTEN).locale('en').exitProcess(false).fail(false);

/** `--pgd.step -1/255` as `--pgd.step=-1/255`: a negative number after a flag is its value, not a flag. */
export function joinNegatives(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const previous = joined.at(-1);
    const isValue = word.startsWith('-') && (parseNumber(word) !== undefined || /^-[\d.]+[,/]/.test(word));
    if (isValue && previous?.startsWith('--') && !previous.includes('=')) joined[joined.length - 1] += `=${word}`;
    else joined.push(word);
  }
  return joined;
}

const NOT_FLAGS = ['_', '$0', 'help', 'h', 'version'];

/** The flags among what yargs parsed. */
export const flagsOf = (parsed: Readonly<Record<string, unknown>>): Given =>
  Object.fromEntries(Object.entries(parsed).filter(([name]) => !NOT_FLAGS.includes(name)));

const defaultInWords = ({ default: value, shown }: Flag<unknown>): string =>
  shown ?? (value === null ? 'auto' : Array.isArray(value) ? value.join(',') : String(value));

/** Flags as yargs options: help says what each accepts and its default; none but true-or-false goes without a value. */
export function declareFlags(argv: Argv, flags: Flags, group: string): Argv {
  for (const [name, flag] of Object.entries(flags)) {
    const standsAlone = typeof flag.default === 'boolean';
    const detail = standsAlone && flag.default === false ? '' : ` (${flag.accepts}; default ${defaultInWords(flag)})`;
    argv.option(name, {
      describe: flag.label + detail,
      ...(standsAlone ? {} : { requiresArg: true, nargs: 1 }),
      group,
    });
  }
  return argv;
}

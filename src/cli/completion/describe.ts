/** What a shell can be told of the command line: commands, their flags, and the words that these take. */
import { COMMANDS } from '../commands.ts';
import type { Flag } from '../flags.ts';
import { type Suggestions, suggestionsFor } from '../suggestions.ts';

export interface DescribedFlag {
  readonly name: string;
  /** What it is, in words. */
  readonly label: string;
  /** Whether the word after it is its value. */
  readonly takesValue: boolean;
  /** Whether several values may stand there, separated by commas. */
  readonly isList: boolean;
  /** Values that are known; others may be allowed. */
  readonly values: readonly string[];
  /** Whether files or folders may stand there. */
  readonly files: boolean;
  /** Whether it is a parameter of an attack or the like: there are many. */
  readonly isParameter: boolean;
}

export interface DescribedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly DescribedFlag[];
  /** Words that may stand by themselves, and whether files may. */
  readonly values: readonly string[];
  readonly files: boolean;
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** All commands; the first is meant where none is named. */
export const describeCommands = (): Promise<readonly DescribedCommand[]> =>
  Promise.all(
    COMMANDS.map(async ({ name, summary, load }) => {
      const [command, suggestions] = await Promise.all([load(), suggestionsFor(name)]);
      const moduleFlags = (await command.moduleFlags?.({})) ?? {};
      const described = (flags: Readonly<Record<string, Flag<unknown>>>, isParameter: boolean): DescribedFlag[] =>
        Object.entries(flags).map(([flag, declared]) => describeFlag(flag, declared, suggestions, isParameter));
      return {
        ...{ name, summary },
        flags: [...described(command.flags, false), HELP, ...described(moduleFlags, true)],
        values: command.words === 'SHELL' ? SHELLS : [],
        files: /FILE|DIR|PHOTO/.test(command.words ?? ''),
      };
    }),
  );

const HELP: DescribedFlag = {
  ...{ name: 'help', label: 'what there is', takesValue: false, isList: false, values: [], files: false },
  isParameter: false,
};

function describeFlag(
  name: string,
  flag: Flag<unknown>,
  suggestions: Suggestions,
  isParameter: boolean,
): DescribedFlag {
  const { label, list = false, item, accepts, number } = flag;
  const takesFiles = /\b(?:files?|folders?|module|photographs)\b/.test(`${label} ${accepts}`);
  const options = flag.options ?? item?.options;
  return {
    ...{ name, label, isParameter },
    takesValue: typeof flag.default !== 'boolean',
    isList: list,
    values: options ?? suggestions[name] ?? [],
    // A number may speak of files: --size of the photographs in a folder. One that is a list may be files instead.
    files: takesFiles && options === undefined && (number === undefined || list),
  };
}

/** Flags of which a shell is told the same. */
export interface Alike {
  /** What it is told. */
  readonly does: string;
  /** `experiment --attack` */
  readonly flags: readonly string[];
}

/** All flags that take a value, those of which `say` says the same together. */
export function alike(commands: readonly DescribedCommand[], say: (flag: DescribedFlag) => string): readonly Alike[] {
  const groups = new Map<string, string[]>();
  for (const { name: command, flags } of commands) {
    for (const flag of flags.filter(({ takesValue }) => takesValue)) {
      const does = say(flag);
      groups.set(does, [...(groups.get(does) ?? []), `${command} --${flag.name}`]);
    }
  }
  return [...groups].map(([does, flags]) => ({ does, flags }));
}

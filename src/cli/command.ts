/** The contract of commands: declared flags in, an exit code out. */
import type { Values } from '../core/params.ts';
import type { Flags, Given } from './flags.ts';
import type { Terminal } from './terminal.ts';

export interface CommandInput<F extends Flags> {
  /** Every declared flag's value. */
  readonly values: Values<F>;
  /** Which of the declared flags were given, on the command line or in a config file; the others have their defaults. */
  readonly given: ReadonlySet<string>;
  /** The config file that says what to do, where the command line does not. */
  readonly untold: string | undefined;
  /** The flags of discovered modules that were given, parsed: `{ 'pgd.steps': 40 }`. */
  readonly moduleValues: Given;
  /** The words that are no flags: folders, files. */
  readonly words: readonly string[];
  /** The command as one would type it again. */
  readonly commandLine: string;
  /** The same with more words behind, for hints. */
  readonly commandLineWith: (...more: readonly string[]) => string;
  readonly terminal: Terminal;
}

export interface Command<F extends Flags = Flags> {
  /** How its words are called in help: `DIR...`; without it, words are refused. */
  readonly words?: string;
  readonly flags: F;
  /**
   * A config file, read as if `--config` named it, where the command line does not say what to do.
   *
   * @param given - what stands there, unparsed
   */
  untold?(given: Given): string | undefined;
  /** Flags that discovered modules bring, given what stands on the command line: `--pgd.steps`. */
  moduleFlags?(given: Given): Promise<Flags>;
  /** Does the work; returns the exit code. */
  run(input: CommandInput<F>): Promise<number>;
}

/** Declares a command; the types of its values follow from its flags. */
export const defineCommand = <F extends Flags>(command: Command<F>): Command<F> => command;

/** Exit codes: fixed, scripts rely on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** The `gibbon` command line: which command runs, what it is given, and what its errors look like. */
import type { Argv } from 'yargs';
import { messageOf, UserError, unknownName, usageError } from '../core/errors.ts';
import { type Command, EXIT } from './command.ts';
import { commandLineOf } from './command-line.ts';
import { COMMANDS, type Entry } from './commands.ts';
import { inherited, readConfig, together } from './config.ts';
import { type Flags, type Given, parseGiven, withDefaults } from './flags.ts';
import { packageFacts } from './paths.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { declareFlags, flagsOf, takeAsWritten } from './words.ts';

/**
 * Runs one command.
 *
 * @param words - the command line after the program's name
 * @returns the exit code: 0 ok, 1 failed, 2 usage, 130 interrupted
 */
export async function main(words: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  try {
    return await dispatch(words, terminal);
  } catch (error) {
    return complain(error, terminal);
  }
}

/** One line for what the user can mend; the stack for what is our mistake. */
function complain(error: unknown, terminal: Terminal): number {
  if (error instanceof UserError) {
    terminal.note(`gibbon: ${error.message}`);
    return error.kind === 'usage' ? EXIT.usage : EXIT.failed;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.note(`gibbon: this should not have happened. ${detail}`);
  return EXIT.failed;
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = words;
  const named = COMMANDS.find(({ name }) => name === first);
  if (named !== undefined) return runCommand(named, rest, terminal);
  if (first !== undefined && !first.startsWith('-')) {
    throw unknownName(
      'command',
      first,
      COMMANDS.map(({ name }) => name),
    );
  }
  const [fallback] = COMMANDS;
  if (fallback === undefined) throw new Error('no commands');
  return runCommand(fallback, words, terminal, overview);
}

const overview = (argv: Argv): Argv =>
  COMMANDS.reduce(
    (chained, { name, summary }) => chained.command(name, summary),
    argv.usage('gibbon [command] [flags]'),
  );

async function runCommand(
  entry: Entry,
  words: readonly string[],
  terminal: Terminal,
  usage: (argv: Argv) => Argv = (argv) => argv,
): Promise<number> {
  const command = await entry.load();
  const { help, version, given, plain } = parse(words, command.flags);
  if (version) {
    terminal.print(packageFacts().version);
    return EXIT.ok;
  }
  if (help) {
    const configs = 'config' in command.flags ? await readConfig(given.config) : [];
    const moduleFlags = (await command.moduleFlags?.({ ...together(configs), ...given })) ?? {};
    terminal.print(await helpOf(entry, command, moduleFlags, terminal, usage));
    return EXIT.ok;
  }
  if (command.words === undefined && plain.length > 0) {
    throw usageError(`unexpected word "${plain[0]}": gibbon ${entry.name} takes flags only. --help lists them all`);
  }
  const untold = plain.length === 0 ? command.untold?.(given) : undefined;
  const read = await readFlags(command, untold === undefined ? given : { ...given, config: untold });
  const commandLineWith = (...more: readonly string[]): string => commandLineOf(entry.name, [...words, ...more]);
  return command.run({ ...read, untold, words: plain, terminal, commandLine: commandLineWith(), commandLineWith });
}

function parse(words: readonly string[], flags: Flags) {
  // A switch takes no value, so that the word after it stays a word.
  const switches = Object.keys(flags).filter((name) => typeof flags[name]?.default === 'boolean');
  for (const word of words) {
    const [, name = '', value = ''] = /^--([^=]+)=(.*)$/.exec(word) ?? [];
    // yargs takes any word but "true" for false.
    if (switches.includes(name) && value !== 'true' && value !== 'false')
      throw usageError(`--${name} is ${JSON.stringify(value)}; it must be true or false`);
  }
  try {
    const parsed = takeAsWritten(words).boolean(switches).help(false).version(false).parseSync();
    const plain = parsed._.map(String);
    return { help: 'help' in parsed || 'h' in parsed, version: 'version' in parsed, given: flagsOf(parsed), plain };
  } catch (error) {
    throw usageError(messageOf(error));
  }
}

/** The flags of the command line over those of the config file over those that it extends over the defaults. */
async function readFlags(command: Command, onCommandLine: Given) {
  const configs = 'config' in command.flags ? await readConfig(onCommandLine.config) : [];
  const moduleFlags = (await command.moduleFlags?.({ ...together(configs), ...onCommandLine })) ?? {};
  const all: Flags = { ...command.flags, ...moduleFlags };
  const parsed = inherited([
    ...configs.map(({ given, source }) => parseGiven(all, given, source)),
    parseGiven(all, onCommandLine),
  ]);
  const moduleValues = Object.fromEntries(Object.entries(parsed).filter(([name]) => name in moduleFlags));
  return { values: withDefaults(command.flags, parsed), given: new Set(Object.keys(parsed)), moduleValues };
}

const HELP_WIDTH = 120;

async function helpOf(
  { name, summary }: Entry,
  { flags, words }: Command,
  moduleFlags: Flags,
  terminal: Terminal,
  usage: (argv: Argv) => Argv,
): Promise<string> {
  const bare = takeAsWritten([])
    .scriptName('gibbon')
    .usage(`gibbon ${name}${words === undefined ? '' : ` ${words}`} [flags]: ${summary}`)
    .wrap(Math.min(HELP_WIDTH, terminal.width))
    .version(false)
    .help();
  const own = declareFlags(usage(bare), flags, 'Flags:');
  return declareFlags(own, moduleFlags, 'Parameters of what takes part:').getHelp();
}

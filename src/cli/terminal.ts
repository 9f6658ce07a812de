/** Where a command writes: stdout is data, stderr is progress and complaints. */
export interface Terminal {
  /** Data, ended by a line break. */
  print(text: string): void;
  /** Progress, notes, errors, ended by a line break. */
  note(text: string): void;
  /** Rewrites the live line of stderr; an empty text takes it away. Only where `live` is true. */
  live(text: string): void;
  /** Whether stderr is a terminal that a live line can be rewritten on. */
  readonly isLive: boolean;
  /** Whether stdout understands colours and the user has not forbidden them (NO_COLOR). */
  readonly colour: boolean;
  /** Columns of stdout. */
  readonly width: number;
  /** Columns of stderr, where the live line stands. */
  readonly liveWidth: number;
}

const DEFAULT_WIDTH = 100;

/** Some terminals do not know their width and say 0. */
const columnsOf = ({ columns }: NodeJS.WriteStream): number => columns || DEFAULT_WIDTH;

/** Carriage return, then "erase to the end of the line". */
const REWIND = '\r\u001b[K';

/** Colours only for people: a terminal, and no `NO_COLOR` (any value but the empty one; see no-color.org). */
export function wantsColour(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  return isTerminal && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb';
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const isLive = stderr.isTTY === true && env.TERM !== 'dumb';
  let lineShown = false;
  const live = (text: string): void => {
    if (isLive && (text !== '' || lineShown)) stderr.write(REWIND + text);
    lineShown = text !== '';
  };
  return {
    print: (text) => {
      live('');
      stdout.write(`${text}\n`);
    },
    note: (text) => {
      live('');
      stderr.write(`${text}\n`);
    },
    live,
    isLive,
    colour: wantsColour(stdout.isTTY === true, env),
    width: columnsOf(stdout),
    liveWidth: columnsOf(stderr),
  };
}

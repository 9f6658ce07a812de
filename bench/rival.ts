/**
 * Another program that is measured beside ours: it says "ready VERSION", and perhaps how it is set, then a line for every
 * line it gets: the seconds of a call, or more.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Rival {
  readonly version: string;
  /** What it says of itself besides. */
  readonly setting: string;
  /** Its line of one call. @throws Error with the program's last words, if it has ended */
  ask(): Promise<string>;
  /** Seconds of one call. @throws Error with the program's last words, if it has ended or gives no number */
  call(): Promise<number>;
  end(): void;
}

/** How much of what a program complains is kept. */
const LAST_WORDS = 2000;

/** The program once it is ready, or why it never was. */
export async function startRival(
  command: string,
  args: readonly string[],
): Promise<Rival | { readonly missing: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  const ended = new Promise<void>((resolve) => {
    child.on('close', resolve);
    child.on('error', ({ message }) => {
      words += message;
      resolve();
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  // Whoever writes to a program that has ended learns it from the answer that does not come.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await lines.next();
    return done ? undefined : (value as string);
  };
  const ready = await next();
  if (ready === undefined) {
    await ended;
    return { missing: words.trim().split('\n').at(-1) ?? '' };
  }
  const fail = async (gave: string): Promise<never> => {
    child.stdin.end();
    await ended;
    throw new Error(`${command} gave ${gave}: ${words.trim()}`);
  };
  const ask = async (): Promise<string> => {
    child.stdin.write('\n');
    return (await next()) ?? fail('no more figures');
  };
  const call = async (): Promise<number> => {
    const answer = await ask();
    const seconds = Number.parseFloat(answer);
    return Number.isFinite(seconds) ? seconds : fail(`"${answer}"`);
  };
  const [, version = '', ...setting] = ready.split(' ');
  return { version, setting: setting.join(' '), ask, call, end: () => child.stdin.end() };
}

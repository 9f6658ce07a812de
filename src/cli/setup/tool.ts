/** Other programs at work: npm, compilers, this program itself. */
import { spawn } from 'node:child_process';
import { basename, join } from 'node:path';
import { childEnd } from '../../backends/child-end.ts';
import { PACKAGE_ROOT } from '../paths.ts';

export interface Ended {
  readonly well: boolean;
  /** Everything it said, errors too. */
  readonly said: string;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface ToolOptions {
  readonly folder: string;
  /** Laid over this process's environment; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a program to its end, and keeps what it says. One that cannot be started has not ended well. Ctrl-C ends it, and not
 * this process, which has something to clear away.
 */
export function runTool(command: string, words: readonly string[], options: ToolOptions): Promise<Ended> {
  const { folder, environment = {} } = options;
  return new Promise((resolve) => {
    // On Windows npm is a script of the shell's.
    const shell = process.platform === 'win32' && !command.endsWith('.exe');
    const child = spawn(command, words, {
      ...{ cwd: folder, env: { ...process.env, ...environment }, shell },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = (): void => void child.kill();
    for (const signal of SIGNALS) process.on(signal, stop);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    const end = (ended: Ended): void => {
      for (const signal of SIGNALS) process.off(signal, stop);
      resolve(ended);
    };
    child.on('error', ({ message }) => end({ well: false, said: `${said}\n${message}` }));
    child.on('close', (code, signal) => {
      end({ well: code === 0, said: signal === null ? said : `${said}\nit was ended by ${signal}` });
    });
  });
}

/** npm: the one that runs this program, else the one that the shell finds. */
export function runNpm(words: readonly string[], options: ToolOptions): Promise<Ended> {
  const running = process.env.npm_execpath ?? '';
  return /^npm(-cli)?\.(c?js)$/.test(basename(running))
    ? runTool(process.execPath, [running, ...words], options)
    : runTool('npm', words, options);
}

/** What a driver needs to start on a busy machine, several times over. */
const LIMIT_SECONDS = 120;

/** Tries in a process of its own, which may crash or hang, whether what was set up works. */
export async function tryOut(what: string, environment: ToolOptions['environment'] = {}): Promise<Ended> {
  const program = { script: join(PACKAGE_ROOT, 'bin', 'gibbon.js'), execArgv: [] };
  const words = ['setup', what, '--check'];
  const end = await childEnd(program, words, { limitSeconds: LIMIT_SECONDS, environment });
  if (end.isLate) return { well: false, said: `it gave no answer within ${LIMIT_SECONDS} s` };
  const ended = end.signal === null ? [] : [`it was ended by ${end.signal}`];
  return { well: end.code === 0, said: [end.stdout, end.stderr, ...ended].join('\n') };
}

/** What such a try says in the end: its own line, without what libraries print on the way. */
export function resultOf({ said }: Ended): string {
  const lines = said.trim().split('\n');
  const own = lines.find((line) => line.startsWith('gibbon: '))?.slice('gibbon: '.length);
  return own ?? lines.findLast((line) => line.startsWith(WORKS)) ?? lines.at(-1) ?? '';
}

/** How the line begins that says it works. */
export const WORKS = 'works: ';

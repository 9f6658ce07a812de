/** Runs a program in a process of its own, to its end or to a time limit. */
import { spawn } from 'node:child_process';
import type { ChildProgram } from '../core/child-program.ts';

/** How a process ended, and what it said last. */
export interface ChildEnd {
  /** Null if a signal ended it, or it never began. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it was ended because its time was over. */
  readonly isLate: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of what a process says, as much as may hold its answer or its last words. */
const KEPT_CHARACTERS = 10_000;

/** For what a process left in its streams, should some other process hold them open. */
const PATIENCE_MS = 1000;

/** What ends this process without a word to its listeners of `exit`. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface ChildOptions {
  readonly limitSeconds: number;
  /** Laid over this process's environment; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Its process is gone when this returns, and goes with this one. It is killed outright: one that hangs in a driver hears
 * nothing else.
 */
export function childEnd(
  { script, execArgv }: ChildProgram,
  words: readonly string[],
  { limitSeconds, environment = {} }: ChildOptions,
): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...execArgv, script, ...words], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] = (said[stream] + text).slice(-KEPT_CHARACTERS);
      });
    }
    let isLate = false;
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    const pass = (signal: NodeJS.Signals): void => {
      kill();
      // Nobody else listens, so it is to end this process.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    process.once('exit', kill);
    for (const signal of SIGNALS) process.once(signal, pass);
    const limit = setTimeout(() => {
      isLate = true;
      kill();
    }, 1000 * limitSeconds);
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      clearTimeout(limit);
      process.off('exit', kill);
      for (const signal of SIGNALS) process.off(signal, pass);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ code, signal, isLate, ...said });
    };
    child.once('error', ({ message }) => {
      said.stderr = message;
      end(null, null);
    });
    child.once('exit', (code, signal) => {
      const patience = setTimeout(() => end(code, signal), PATIENCE_MS);
      child.once('close', () => {
        clearTimeout(patience);
        end(code, signal);
      });
    });
  });
}

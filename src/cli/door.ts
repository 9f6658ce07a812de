/** Where a process comes in: its folder, its streams, its words. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { EXIT } from './command.ts';
import { main } from './main.ts';
import { PACKAGE_ROOT } from './paths.ts';

/** Runs the command of this process. @returns its exit code, see `main` */
export function enter(words: readonly string[]): Promise<number> {
  const caller = callersFolder(process.cwd(), process.env);
  if (caller !== undefined) process.chdir(caller);
  listenToStreams();
  process.on('SIGINT', () => {
    // Whoever listens besides has work to end in good order.
    if (process.listenerCount('SIGINT') > 1) return;
    process.stderr.write('gibbon: interrupted\n');
    process.exit(EXIT.interrupted);
  });
  return main(words);
}

/**
 * The folder in which the user called npm, where npm has gone to the package's own to run one of its scripts; undefined if
 * the process is where the user is. Relative paths are meant from there.
 */
export function callersFolder(here: string, environment: NodeJS.ProcessEnv): string | undefined {
  const { INIT_CWD: caller, npm_package_json: manifest } = environment;
  const isOwnScript = here === PACKAGE_ROOT && manifest === join(PACKAGE_ROOT, 'package.json');
  return isOwnScript && caller !== undefined && caller !== here && existsSync(caller) ? caller : undefined;
}

function listenToStreams(): void {
  const { stdout, stderr } = process;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads the data may stop when it has enough, as in `gibbon list | head -1`: no reason to fail.
    if (error.code === 'EPIPE') return;
    stderr.write(`gibbon: ${messageOf(fileError('write', 'to stdout', error))}\n`);
    process.exit(EXIT.failed);
  });
  // Progress that nobody hears is no reason to end the work, and there is nowhere left to complain.
  stderr.on('error', () => undefined);
}

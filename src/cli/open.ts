/** Opens a file with the desktop's own program for it. */
import { spawn } from 'node:child_process';

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [program: string, ...words: string[]]>>> = {
  darwin: ['open'],
  // Not `start`, which is the shell's: it would read a path as words of its own.
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** @param onFailure - called if there is no desktop to open it on */
export function openFile(path: string, onFailure: () => void): void {
  const [program, ...words] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...words, path], { detached: true, stdio: 'ignore' });
  child.on('error', onFailure);
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) onFailure();
  });
  child.unref();
}

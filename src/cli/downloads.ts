/** Downloads on the terminal: a progress line, and Ctrl-C that keeps what has come. */
import type { Progress } from '../weights/fetch-part.ts';
import { EXIT } from './command.ts';
import { listenForInterrupt } from './interrupt.ts';
import { progressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';
import type { ResolveOptions } from './weights-word.ts';

const MEGABYTE = 1e6;

/** Does work that may have to fetch files. @returns undefined if Ctrl-C ended it; what had come is kept for next time */
export async function withDownloads<T>(
  terminal: Terminal,
  quiet: boolean,
  work: (fetching: ResolveOptions) => Promise<T>,
): Promise<T | undefined> {
  const line = progressLine(terminal);
  let isFetching = false;
  const interrupt = listenForInterrupt(() => {
    if (!isFetching) process.exit(EXIT.interrupted);
    terminal.note('stopping the download; it goes on from there next time');
  });
  const onProgress = (file: string, { done, total }: Progress): void => {
    isFetching = true;
    if (quiet) return;
    line.show({
      label: file,
      done: Math.floor(done / MEGABYTE),
      total: Math.ceil((total ?? done) / MEGABYTE),
      unit: 'MB',
    });
  };
  try {
    return await work({ signal: interrupt.signal, onProgress });
  } catch (error) {
    if (interrupt.signal.aborted) return undefined;
    throw error;
  } finally {
    line.end();
    interrupt.release();
  }
}

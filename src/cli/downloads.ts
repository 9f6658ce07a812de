/** Downloads on the terminal: a progress line, and Ctrl-C that keeps what has come. */
import type { Progress } from '../weights/fetch-part.ts';
import { type Interrupt, listenForInterrupt } from './interrupt.ts';
import { progressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';
import type { ResolveOptions } from './weights-word.ts';

const MEGABYTE = 1e6;

/** Does work that may have to fetch files. @returns undefined if Ctrl-C ended a download; what had come is kept */
export async function withDownloads<T>(
  terminal: Terminal,
  quiet: boolean,
  work: (fetching: ResolveOptions) => Promise<T>,
): Promise<T | undefined> {
  const line = progressLine(terminal);
  const stop = new AbortController();
  // Ctrl-C keeps its usual meaning until there is something to keep.
  let interrupt: Interrupt | undefined;
  const onProgress = (file: string, { done, total }: Progress): void => {
    interrupt ??= listenForInterrupt(() => {
      terminal.note('stopping the download; it goes on from there next time');
      stop.abort();
    });
    if (quiet) return;
    const megabytes = { done: Math.floor(done / MEGABYTE), total: Math.ceil((total ?? done) / MEGABYTE) };
    line.show({ label: file, ...megabytes, unit: 'MB' });
  };
  try {
    return await work({ signal: stop.signal, onProgress });
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    throw error;
  } finally {
    line.end();
    interrupt?.release();
  }
}

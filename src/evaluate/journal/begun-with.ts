/** What computed the work of a journal, so that it can be gone on with by the same. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { factParts } from './parts.ts';

const head = z.object({ parts: z.record(z.string(), z.string()) });

/**
 * Which of the backends the journal at `path` was begun with: it keeps a hash of each thing that its numbers depend on.
 * Undefined if it is none of them, or nothing can be read; `openJournal` says what is wrong then.
 */
export async function begunWith<T extends string>(path: string, backends: readonly T[]): Promise<T | undefined> {
  try {
    const [first = ''] = (await readFile(path, 'utf8')).split('\n', 1);
    const { parts } = head.parse(JSON.parse(first));
    return backends.find((backend) => parts['the backend'] === factParts({ 'the backend': backend })['the backend']);
  } catch {
    return undefined;
  }
}

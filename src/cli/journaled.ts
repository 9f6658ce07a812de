/** Work with a folder of its own and a journal in it: it can be interrupted by Ctrl-C and gone on with. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { resumable } from '../core/files.ts';
import { JOURNAL } from '../core/run.ts';
import { IMAGES } from '../core/saved.ts';
import { type Journal, openJournal } from '../evaluate/journal/journal.ts';
import { journalKey, type Parts } from '../evaluate/journal/parts.ts';
import { Interrupted } from '../evaluate/plan.ts';
import { listenForInterrupt } from './interrupt.ts';
import { type Claim, makeOut, type Out } from './out-folder.ts';
import type { Terminal } from './terminal.ts';

export interface Place {
  /** Where the run is to be written; it need not exist yet. */
  readonly folder: string;
  readonly claim: Claim;
  /** Whether what its journal holds is taken up. */
  readonly resume: boolean;
  readonly command: string;
  readonly terminal: Terminal;
  /** What the numbers depend on: a journal of other parts is refused. */
  readonly parts: () => Promise<Parts>;
}

export interface Workshop {
  readonly folder: string;
  readonly journal: Journal;
  readonly signal: AbortSignal;
}

export interface Ended<T> {
  readonly folder: string;
  /** Absent if Ctrl-C ended the work; what was finished then lies in the journal. */
  readonly result: T | undefined;
}

/** Does work in a folder with a journal; where the system refuses a file, the error says how to go on. */
export const goingOn = <T>(folder: string, work: () => Promise<T>): Promise<T> =>
  resumable(
    () => (existsSync(join(folder, JOURNAL)) ? `${folder} keeps what was finished` : undefined),
    `--out ${folder} --resume`,
    work,
  );

/** Does the work. Where it fails before it came to any result, its folder is taken away again. */
export async function journaled<T>(place: Place, work: (workshop: Workshop) => Promise<T>): Promise<Ended<T>> {
  const out = await makeOut(place.folder, place.claim);
  return goingOn(out.folder, () => journaledIn(out, place, work));
}

async function journaledIn<T>(
  { folder, undo }: Out,
  { resume, command, terminal, ...place }: Place,
  work: (workshop: Workshop) => Promise<T>,
): Promise<Ended<T>> {
  const path = join(folder, JOURNAL);
  const interrupt = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
  let journal: Journal | undefined;
  try {
    const parts = await place.parts();
    journal = await openJournal(path, { key: journalKey(parts), parts, command, resume });
    const result = await work({ folder, journal, signal: interrupt.signal });
    await journal.close();
    return { folder, result };
  } catch (error) {
    await journal?.close();
    if (error instanceof Interrupted) return { folder, result: undefined };
    if (journal?.holdsResults() === false && !resume) {
      await rm(path);
      await rm(join(folder, IMAGES), { recursive: true, force: true });
    }
    await undo();
    throw error;
  } finally {
    interrupt.release();
  }
}

/** Runs a checked plan: folder, journal, Ctrl-C, progress. */
import { join } from 'node:path';
import type { Run } from '../../core/run.ts';
import { runExperiment } from '../../evaluate/experiment.ts';
import { openJournal } from '../../evaluate/journal.ts';
import { Interrupted, type ProgressEvent } from '../../evaluate/plan.ts';
import { journalKey } from '../../evaluate/provenance.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { JOURNAL, makeOut, runId } from '../out-folder.ts';
import { type Progress, progressLine } from '../progress.ts';
import { versionsHere } from '../surroundings.ts';
import type { Terminal } from '../terminal.ts';
import type { Work } from './plan.ts';

export interface Manner {
  readonly command: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly resume: boolean;
  readonly quiet: boolean;
  readonly terminal: Terminal;
}

/** @returns the run; undefined if Ctrl-C ended it, its finished work then lies in the journal */
export async function carryOut({ plan, backend, folder }: Work, manner: Manner): Promise<Run | undefined> {
  const { command, config, resume, quiet, terminal } = manner;
  const line = progressLine(terminal);
  const undo = await makeOut(folder);
  const interrupt = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
  try {
    const versions = versionsHere();
    const key = await journalKey(plan, { backend: backend.name, versions });
    const journal = await openJournal(join(folder, JOURNAL), { key, command, resume });
    try {
      return await runExperiment(plan, {
        ...{ prepare: backend.prepare, backend: backend.name, command, config, journal },
        id: runId(folder),
        versions,
        signal: interrupt.signal,
        ...(quiet ? {} : { onProgress: (event) => line.show(progressOf(event)) }),
      });
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    throw error;
  } finally {
    line.end();
    interrupt.release();
    await undo();
  }
}

const UNITS: Readonly<Record<ProgressEvent['phase'], string>> = {
  prepare: 'compiled',
  clean: 'images',
  // Of an image and a radius.
  attack: 'pairs',
  gallery: 'pictures',
};

/** What the progress line says of an event. */
export function progressOf({ phase, contender, attack, done, total, accuracy }: ProgressEvent): Progress {
  const what = phase === 'attack' ? attack : phase === 'clean' ? 'clean' : `${attack ?? ''} ${phase}`.trim();
  return {
    label: `${contender} ${what}`,
    ...{ done, total },
    unit: UNITS[phase],
    passing: phase === 'prepare' || phase === 'gallery',
    ...(accuracy === undefined ? {} : { accuracy }),
  };
}

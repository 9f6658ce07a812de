/** Runs a checked plan: folder, journal, Ctrl-C, progress. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { JOURNAL, type Run } from '../../core/run.ts';
import { IMAGES } from '../../core/saved.ts';
import { runExperiment } from '../../evaluate/experiment.ts';
import { type Journal, openJournal } from '../../evaluate/journal.ts';
import { Interrupted, type ProgressEvent } from '../../evaluate/plan.ts';
import { journalKey, journalParts } from '../../evaluate/provenance.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { makeOut, runId } from '../out-folder.ts';
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

export interface Outcome {
  readonly folder: string;
  /** Absent if Ctrl-C ended the run; its finished work then lies in the journal. */
  readonly run: Run | undefined;
}

/** Runs the work. Where it fails before any attack came to a result, its folder is taken away again. */
export async function carryOut(
  { plan, backend, folder: wanted, claim, saving }: Work,
  manner: Manner,
): Promise<Outcome> {
  const { command, config, resume, quiet, terminal } = manner;
  const line = progressLine(terminal);
  const { folder, undo } = await makeOut(wanted, claim);
  const path = join(folder, JOURNAL);
  const interrupt = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
  let journal: Journal | undefined;
  try {
    const versions = versionsHere();
    const parts = await journalParts(plan, { backend: backend.name, versions });
    journal = await openJournal(path, { key: journalKey(parts), parts, command, resume });
    const run = await runExperiment(plan, {
      ...{ prepare: backend.prepare, backend: backend.name, command, config, journal },
      id: runId(folder),
      versions,
      signal: interrupt.signal,
      ...(saving === undefined ? {} : { saving: { ...saving, folder } }),
      ...(quiet ? {} : { onProgress: (event) => line.show(progressOf(event)) }),
    });
    await journal.close();
    return { folder, run };
  } catch (error) {
    await journal?.close();
    if (error instanceof Interrupted) return { folder, run: undefined };
    if (journal?.holdsResults() === false && !resume) {
      await rm(path);
      await rm(join(folder, IMAGES), { recursive: true, force: true });
    }
    await undo();
    throw error;
  } finally {
    line.end();
    interrupt.release();
  }
}

const UNITS: Readonly<Record<ProgressEvent['phase'], string>> = {
  prepare: 'compiled',
  clean: 'images',
  fit: 'images',
  // Of an image and a radius.
  attack: 'pairs',
  gallery: 'pictures',
  probe: 'sanity checks',
  transfer: 'images',
  naive: 'images',
  save: 'radii saved',
};

/** What is worth a line that stays. */
const LASTING: readonly ProgressEvent['phase'][] = ['clean', 'fit', 'attack', 'transfer', 'naive'];

/** What the progress line says of an event. */
export function progressOf({ phase, contender, attack, stage, done, total, accuracy }: ProgressEvent): Progress {
  const name = [attack, stage].filter((part) => part !== undefined).join('/');
  const what = phase === 'attack' ? name : phase === 'clean' || phase === 'probe' ? phase : `${name} ${phase}`.trim();
  return {
    label: `${contender} ${what}`,
    ...{ done, total },
    unit: UNITS[phase],
    passing: !LASTING.includes(phase),
    ...(accuracy === undefined ? {} : { accuracy }),
  };
}

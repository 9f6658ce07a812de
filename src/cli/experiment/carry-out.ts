/** Runs a checked plan: folder, journal, Ctrl-C, progress. */
import type { Run } from '../../core/run.ts';
import { runExperiment } from '../../evaluate/experiment.ts';
import { journalParts } from '../../evaluate/experiment-parts.ts';
import type { ProgressEvent } from '../../evaluate/plan.ts';
import { journaled } from '../journaled.ts';
import { runId } from '../out-folder.ts';
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

/** Runs the work. */
export async function carryOut({ plan, backend, folder, claim, saving }: Work, manner: Manner): Promise<Outcome> {
  const { command, config, resume, quiet, terminal } = manner;
  const line = progressLine(terminal);
  const versions = versionsHere();
  const parts = () => journalParts(plan, { backend: backend.name, versions });
  try {
    const ended = await journaled({ folder, claim, resume, command, terminal, parts }, (workshop) =>
      runExperiment(plan, {
        ...{ prepare: backend.prepare, backend: backend.name, command, config, versions },
        ...{ backendDifference: backend.difference, device: backend.device },
        ...{ journal: workshop.journal, signal: workshop.signal },
        id: runId(workshop.folder),
        ...(saving === undefined ? {} : { saving: { ...saving, folder: workshop.folder } }),
        ...(quiet ? {} : { onProgress: (event) => line.show(progressOf(event)) }),
      }),
    );
    return { folder: ended.folder, run: ended.result };
  } finally {
    line.end();
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

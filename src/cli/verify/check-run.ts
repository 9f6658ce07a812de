/** Checks all images that a run saved, network by network. */

import type { Backend } from '../../backends/open.ts';
import type { Run } from '../../core/run.ts';
import type { SavedImages } from '../../core/saved.ts';
import { prepareJudge } from '../../evaluate/pool/engine.ts';
import { type Checked, checkSaved } from '../../evaluate/saved/check.ts';
import type { Found } from './networks.ts';

/** A line of the table. */
export interface Verdict extends Pick<Checked, 'findings'> {
  readonly network: string;
  readonly attack: string;
  readonly epsilon: number;
  /** Absent where nothing could be checked. */
  readonly counts?: Omit<Checked, 'findings'>;
}

export interface CheckRun {
  readonly folder: string;
  readonly run: Run;
  readonly networks: readonly Found[];
  readonly backend: Backend;
  readonly batch: number;
  readonly signal: AbortSignal;
  /** Told how many files are done. */
  readonly onFile: (done: number, total: number) => void;
}

/** A verdict for every file of the run, and for every one that it should have. @throws Interrupted if the signal is aborted */
export async function checkRun(spec: CheckRun): Promise<Verdict[]> {
  const { folder, run, networks, backend, batch, signal, onFile } = spec;
  const saved = run.saved ?? [];
  const verdicts: Verdict[] = [];
  for (const found of networks) {
    const files = saved.filter(({ arch, training }) => arch === found.arch && training === found.training);
    if (found.network === undefined) {
      verdicts.push(...files.map((file) => ({ ...named(file), findings: [strangers(found)] })));
      continue;
    }
    const { contender } = found.network;
    const judge = await prepareJudge(backend.prepare, contender.classifier, batch);
    try {
      for (const file of files) {
        const { findings, ...counts } = await checkSaved(file, { folder, run, contender, judge, signal });
        verdicts.push({ ...named(file), counts, findings });
        onFile(verdicts.length, saved.length);
      }
    } finally {
      await judge.release();
    }
  }
  return [...verdicts, ...missing(run)];
}

const named = ({ arch, training, attack, epsilon }: Pick<SavedImages, 'arch' | 'training' | 'attack' | 'epsilon'>) => ({
  ...{ network: `${arch}/${training}`, attack, epsilon },
});

const SHORT = 12;

function strangers({ sha256, others }: Found): string {
  const seen = others.map(({ path, contender }) => `${path} has ${contender.sha256.slice(0, SHORT)}…`);
  const looked = seen.length === 0 ? 'none were found' : seen.join(', ');
  return `run.json attacked weights ${sha256?.slice(0, SHORT) ?? 'unknown'}…; ${looked}: name the right file by --weights`;
}

/** Boxes of the grid whose adversarial images are nowhere. */
function missing({ cells, saved = [] }: Run): Verdict[] {
  return cells.flatMap((cell): Verdict[] => {
    const fallen = cell.cleanCorrect - cell.robustCorrect;
    const isThere = saved.some(
      ({ arch, training, attack, epsilon }) =>
        arch === cell.arch && training === cell.training && attack === cell.attack && epsilon === cell.epsilon,
    );
    if (fallen === 0 || isThere) return [];
    return [{ ...named(cell), findings: [`run.json counts ${fallen} adversarial images, and none of them is saved`] }];
  });
}

/** What came of trying every backend, and which of them `--backend auto` takes. */
import { tryAll } from '../../backends/auto.ts';
import { choose, USUAL } from '../../backends/choose.ts';
import { type Machine, machineHere } from '../../backends/machine.ts';
import { BACKEND_NAMES, type BackendName } from '../../backends/names.ts';
import { KINDS } from '../../backends/table.ts';
import { isWorking, type Verdict, verdictInWords } from '../../backends/verdict.ts';
import { gibbonHome } from '../../core/home.ts';
import { versionsHere } from '../surroundings.ts';
import { tellTrials } from '../tell-trials.ts';
import type { Terminal } from '../terminal.ts';
import type { Finding } from './finding.ts';

/** All of them, tried anew; what is found is what `auto` knows from then on. */
export async function backends(terminal: Terminal): Promise<Finding[]> {
  const machine = machineHere();
  const { onTrial, end } = tellTrials(terminal);
  const verdicts = await tryAll({ home: gibbonHome(), versions: versionsHere, machine, onTrial }).finally(end);
  return backendFindings(machine, verdicts);
}

/** A finding for every backend, and one for the choice. */
export function backendFindings(machine: Machine, verdicts: readonly Verdict[]): Finding[] {
  const tried = new Map(verdicts.map((verdict) => [verdict.backend, verdict]));
  return [
    ...BACKEND_NAMES.map((backend): Finding => {
      const verdict = tried.get(backend);
      return { name: `backend ${backend}`, ...findingOf(backend, verdict, machine), ...(verdict && { verdict }) };
    }),
    { name: 'backend auto', found: `takes ${choose(verdicts)}`, well: true },
  ];
}

function findingOf(
  backend: BackendName,
  verdict: Verdict | undefined,
  machine: Machine,
): Pick<Finding, 'found' | 'well' | 'advice'> {
  if (verdict === undefined) {
    if (backend === 'cpu') return { found: 'the reference that the others are compared with; slow', well: true };
    const lack = KINDS[backend].lacks(machine);
    if (lack === undefined) return { found: 'not tried', well: true };
    const { why, advice } = lack;
    return { found: `not here: ${why}`, well: true, ...(advice === undefined ? {} : { advice }) };
  }
  if (isWorking(verdict)) {
    const { difference, stepSeconds } = verdict;
    const agreement = `largest relative difference from the reference ${difference.toExponential(1)}`;
    return { found: `works: ${agreement}, a step takes ${milliseconds(stepSeconds)}`, well: true };
  }
  const found = verdictInWords(verdict);
  const advice = verdict.state === 'slow' ? undefined : KINDS[backend].advice(machine, found);
  // Work can go on without all others.
  const well = backend !== USUAL || verdict.state === 'slow';
  return { found, well, ...(advice === undefined ? {} : { advice }) };
}

const milliseconds = (seconds: number): string => `${Number((1000 * seconds).toPrecision(3))} ms`;

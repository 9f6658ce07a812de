/** Tries a backend in a process of its own, which may crash or hang: drivers of graphics processors do. */
import { type ChildProgram, programBeside } from '../core/child-program.ts';
import { type Answer, answerIn } from './answer.ts';
import { type ChildEnd, childEnd } from './child-end.ts';
import { TOLERANCE } from './gradient-check.ts';
import type { BackendName } from './names.ts';
import { lastLine } from './reason.ts';
import type { Verdict } from './verdict.ts';

/** What is tried: a program that says what came of it, as `probe-child.ts` does. */
export interface Candidate {
  readonly backend: BackendName;
  readonly program: ChildProgram;
}

export const candidateOf = (backend: BackendName): Candidate => ({
  backend,
  program: programBeside(import.meta.url, 'probe-child'),
});

/**
 * How long a backend may take to start, to show that it computes the right thing and to be timed: several times what a driver
 * needs that computes its graphics on a busy processor. What needs longer would be of no use if it worked.
 */
const LIMIT_SECONDS = 30;

/** Tries the candidate. */
export const probe = async ({ backend, program }: Candidate, limitSeconds = LIMIT_SECONDS): Promise<Verdict> =>
  verdictOf(backend, await childEnd(program, [backend], { limitSeconds }), limitSeconds);

/** What is to be thought of a backend whose process ended so. Whether it computes the right thing is judged here, by the figure. */
export function verdictOf(backend: BackendName, end: ChildEnd, limitSeconds: number): Verdict {
  const answer = answerIn(end.stdout);
  if (end.isLate) return lateVerdict(backend, answer, limitSeconds);
  if (end.code !== 0 || answer === undefined) return { state: 'crashed', backend, why: lastWords(end) };
  if ('unavailable' in answer) return { state: 'unavailable', backend, why: answer.unavailable };
  const { difference, stepSeconds } = answer;
  if (!agrees(difference)) return { state: 'wrong', backend, difference };
  if (stepSeconds === undefined) return { state: 'crashed', backend, why: 'it did not say how long a step takes' };
  return { state: 'works', backend, difference, stepSeconds };
}

const agrees = (difference: number | null): difference is number => difference !== null && difference <= TOLERANCE;

/** What was ended while it was timed did work. */
function lateVerdict(backend: BackendName, answer: Answer | undefined, seconds: number): Verdict {
  if (
    answer === undefined ||
    'unavailable' in answer ||
    answer.stepSeconds !== undefined ||
    !agrees(answer.difference)
  ) {
    return { state: 'hung', backend, seconds };
  }
  return { state: 'slow', backend, difference: answer.difference, seconds };
}

/** `SIGSEGV: the last line of its stderr` */
function lastWords({ code, signal, stderr }: ChildEnd): string {
  const ended = code === null ? 'there was no process for it' : `its process ended with ${code}`;
  const how = code === 0 ? 'its process ended and gave no answer' : (signal ?? ended);
  return [how, lastLine(stderr) ?? []].flat().join(': ');
}

/** Measurements in processes of their own: peak memory is then the architecture's alone, and a crash ends nothing else. */
import { fork } from 'node:child_process';
import { programBeside } from '../../core/child-program.ts';
import type { Terminal } from '../terminal.ts';
import type { Answer } from './child.ts';
import type { BenchRequest } from './figures.ts';
import { figuresInOneLine } from './words.ts';

const CHILD = programBeside(import.meta.url, 'child');

/**
 * The figures of one architecture, or why there are none.
 *
 * @param script - the program of the child
 */
export function measureApart(request: BenchRequest, script = CHILD.script): Promise<Answer> {
  return new Promise((resolve) => {
    const child = fork(script, [JSON.stringify(request)], {
      execArgv: [...CHILD.execArgv],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let complaint = '';
    child.stderr?.on('data', (data) => {
      complaint = `${complaint}${data}`.slice(-2000);
    });
    const fail = (failure: string): void => resolve({ failure, kind: undefined });
    child.once('message', (answer) => resolve(answer as Answer));
    child.once('error', (error) => fail(`no process for it: ${error.message}`));
    child.once('close', (code, signal) => {
      const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
      const last = complaint.trim().split('\n').at(-1);
      fail(`its process ${how}${last === '' ? '' : `: ${last}`}`);
    });
  });
}

/**
 * All of them, one after the other, with progress on stderr. What each gave is told there too, for many take long enough
 * that somebody may stop them.
 *
 * @returns an answer for each request, in their order
 */
export async function measureEach(
  requests: readonly BenchRequest[],
  terminal: Terminal,
  measureOne: (request: BenchRequest) => Promise<Answer> = measureApart,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const [i, request] of requests.entries()) {
    const words = `measuring ${request.arch} (${i + 1} of ${requests.length})`;
    if (terminal.isLive) terminal.live(words);
    else terminal.note(words);
    const answer = await measureOne(request);
    if ('failure' in answer) terminal.note(`${request.arch}: ${answer.failure}`);
    else if (requests.length > 1) terminal.note(`${request.arch}: ${figuresInOneLine(answer.figures)}`);
    answers.push(answer);
  }
  terminal.live('');
  return answers;
}

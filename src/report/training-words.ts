/** How a training ended, in words: the same in the terminal and in the report. */
import type { Kept, Stopped } from '../core/training-record.ts';
import { percent } from './format.ts';

/** What the guard saw, or why patience ended: a clause without a full stop. */
export function stoppedInWords({ why, from, to }: Stopped): string {
  const [before, after] = [percent(from), percent(to)];
  if (why === 'fall') return `robust accuracy fell from ${before} to ${after} (catastrophic overfitting)`;
  if (why === 'gap') return `${before} withstood one gradient step and ${after} several (catastrophic overfitting)`;
  return `no epoch was better than that of ${before}, the last one had ${after}`;
}

/** `epoch 3, the best`; `epoch 2 as it was after batch 234`. */
export const keptInWords = ({ why, epoch, batch }: Kept): string =>
  why === 'rolled back' ? `epoch ${epoch} as it was after batch ${batch}` : `epoch ${epoch}, the ${why}`;

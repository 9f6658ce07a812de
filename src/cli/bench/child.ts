/** The process in which one architecture is measured: its request is its argument, its answer a message to the parent. */
import { messageOf, UserError } from '../../core/errors.ts';
import { type BenchRequest, type Figures, measure } from './figures.ts';

export type Answer =
  | { readonly figures: Figures }
  | { readonly failure: string; readonly kind: UserError['kind'] | undefined };

// Without a parent nobody waits for the figures.
process.once('disconnect', () => process.exit());

async function answer(): Promise<Answer> {
  try {
    return { figures: await measure(JSON.parse(process.argv[2] ?? '') as BenchRequest) };
  } catch (error) {
    return { failure: messageOf(error), kind: error instanceof UserError ? error.kind : undefined };
  }
}

process.send?.(await answer(), () => process.exit());

import { expect, it } from 'vitest';
import { watchTraining } from '../../src/cli/train/watch.ts';
import type { TrainingEvent } from '../../src/train/events.ts';
import { listen } from './workplace.ts';

it('a training that was ended early is told of, progress or no progress', () => {
  const { terminal, err } = listen();
  const watch = watchTraining(terminal, true);
  const events: readonly TrainingEvent[] = [
    { kind: 'batch', epoch: 1, batch: 232, loss: 1, accuracy: 0.6, rate: 0.1 },
    {
      kind: 'stopped',
      stopped: { why: 'gap', epoch: 1, batch: 232, from: 0.9, to: 0.008 },
      kept: { why: 'rolled back', epoch: 1, batch: 116 },
    },
  ];
  for (const event of events) watch.show(event);
  watch.end();
  expect(err).toEqual([
    'stopped at epoch 1, batch 232: 90.0 % withstood one gradient step and 0.8 % several (catastrophic overfitting)',
    'rolled back (--guard off lets it run): saving epoch 1 as it was after batch 116',
  ]);
});

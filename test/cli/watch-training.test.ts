import { expect, it } from 'vitest';
import { watchTraining } from '../../src/cli/train/watch.ts';
import type { TrainingEvent } from '../../src/train/events.ts';
import { trainingRecordOf } from '../core/training-record.ts';
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

it.each([true, false])('an epoch is called the best so far only if that decides what is saved: %s', (keepsBest) => {
  const { terminal, err } = listen();
  const watch = watchTraining(terminal, false);
  const [first] = trainingRecordOf().history;
  if (first === undefined) return expect.unreachable('a record has an epoch');
  watch.show({ kind: 'start', parameters: 1, epoch: 1, epochs: 2, batch: 1, batches: 400, keepsBest });
  watch.show({ kind: 'epoch', record: { ...first, seconds: 60 } });
  watch.end();
  const told = 'epoch 1/2: loss 0.9000, accuracy 70.0 %, held out 95.0 % clean, 85.0 % attacked, 1 min';
  expect(err.at(-1)).toMatch(new RegExp(`^${told}( 0 s)?${keepsBest ? ' \\(best so far\\)' : ''}$`));
});

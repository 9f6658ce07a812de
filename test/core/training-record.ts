import type { TrainingRecord } from '../../src/core/training-record.ts';

/** A record that the schema accepts: of two epochs, the second the better one. */
export const trainingRecordOf = (changes: Partial<TrainingRecord> = {}): TrainingRecord => ({
  defense: { name: 'pgd-training', params: { attack: 'pgd', steps: 5, step: null } },
  norm: 'Linf',
  epsilon: 0.3,
  epochs: 2,
  batches: 400,
  history: [
    {
      ...{ epoch: 1, batches: 400, loss: 0.9, accuracy: 0.7, validation: { clean: 0.95, robust: 0.85 }, rate: 0.1 },
      checks: [{ batch: 200, oneStep: 0.6, manySteps: 0.5 }],
      best: true,
    },
    {
      ...{ epoch: 2, batches: 400, loss: 0.3, accuracy: 0.9, validation: { clean: 0.98, robust: 0.9 }, rate: 0.01 },
      checks: [{ batch: 200, oneStep: 0.9, manySteps: 0.88 }],
      best: true,
    },
  ],
  kept: { why: 'best', epoch: 2, batch: 400 },
  ...changes,
});

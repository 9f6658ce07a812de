import pgdTraining from '../../defenses/pgd-training.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { tinyPlan } from './tiny.ts';

/** With all that a state may hold: an average, a best epoch, a guard. Four batches an epoch. */
export const killedPlan = (): TrainingPlan =>
  tinyPlan(pgdTraining, { epochs: 3, params: { steps: 1 }, ema: 0.9, keep: 'best', patience: 3 });

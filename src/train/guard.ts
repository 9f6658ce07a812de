/** The watch against catastrophic overfitting in the course of an epoch; `collapse.ts` judges what it sees. */
import type { Prepare } from '../compile/types.ts';
import type { Example } from '../core/dataset.ts';
import type { GuardCheck } from '../core/training-record.ts';
import type { Network } from '../models/network.ts';
import { judgeOf } from './judge.ts';
import { isAdversarial, type TrainingPlan } from './plan.ts';

export interface Guard {
  /** How many it looks at. */
  readonly images: number;
  /** Whether to look after so many batches of the epoch, from 1. */
  isDue(batch: number): boolean;
  look(): Promise<Omit<GuardCheck, 'batch'>>;
  release(): Promise<void>;
}

/** Training draws stream 0, validation stream 1. */
const STREAM = 2;

const MOST_AN_EPOCH = 4;
/** A batch of the guard costs 6 gradients and 2 forward passes; one of training 2 gradients at least. */
const LEAST_BATCHES_BETWEEN = 25;

/**
 * The guard of a training, if it has one: four times an epoch, and in short epochs at least once. It looks at one batch of
 * held-out images (several, where batches are small), so that it takes 3 % of an epoch of 468 batches in which the training
 * attacks by one step, 1 % where it attacks by five, and 15 % in any case at most where batches number 25 or more.
 *
 * @param batches - of an epoch
 */
export async function guardOf(
  plan: TrainingPlan,
  network: Network,
  heldOut: readonly Example[],
  batches: number,
  prepare: Prepare,
): Promise<Guard | undefined> {
  const { guard, batch, epsilon } = plan;
  if (guard === null || heldOut.length === 0 || !isAdversarial(plan)) return undefined;
  const { attack, params } = guard;
  const examples = heldOut.slice(0, guard.images);
  const questions = {
    oneStep: { attack, params: { ...params, steps: 1, step: epsilon, random: false } },
    manySteps: { attack, params },
  };
  const judge = await judgeOf(plan, network, { name: 'the guard', questions, examples, stream: STREAM }, prepare);
  const apart = LEAST_BATCHES_BETWEEN * Math.ceil(examples.length / batch);
  const looks = Math.min(MOST_AN_EPOCH, Math.max(1, Math.floor(batches / apart)));
  const looksBy = (done: number): number => Math.floor((done * looks) / batches);
  return {
    images: examples.length,
    isDue: (done) => looksBy(done) > looksBy(done - 1),
    look: judge.run,
    release: judge.release,
  };
}

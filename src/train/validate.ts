/** Clean and robust accuracy on the held-out images after every epoch. */
import type { Prepare } from '../compile/types.ts';
import type { Example } from '../core/dataset.ts';
import type { Network } from '../models/network.ts';
import { judgeOf } from './judge.ts';
import type { TrainingPlan } from './plan.ts';

/** Shares of the held-out images, 0 to 1. */
export interface Validation {
  readonly clean: number;
  readonly robust: number;
}

export interface Validator {
  /** The accuracies of the network as it is now; null if nothing is held out. */
  run(): Promise<Validation | null>;
  release(): Promise<void>;
}

/** Training draws stream 0. */
const STREAM = 1;

/** A validator of the network on `examples`, compiled once. */
export async function validatorOf(
  plan: TrainingPlan,
  network: Network,
  examples: readonly Example[],
  prepare: Prepare,
): Promise<Validator> {
  if (examples.length === 0) return { run: async () => null, release: async () => undefined };
  const questions = { clean: null, robust: plan.validation };
  return judgeOf(plan, network, { name: 'validation', questions, examples, stream: STREAM }, prepare);
}

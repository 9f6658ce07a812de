/** The variables of a training, which every update moves. */
import type { Network } from '../models/network.ts';
import { averageOf } from './average.ts';
import { type Memory, memoryOf } from './memory.ts';
import type { TrainingPlan } from './plan.ts';
import { type Slot, slotsOf } from './sgd.ts';
import { type Variables, weightsByName } from './snapshot.ts';
import { learningOf } from './start.ts';

export interface TrainingVariables {
  /** All weights of the network, those that do not learn and the averages of batch norm included. */
  readonly weights: Variables;
  /** Those that learn, with their velocities. */
  readonly slots: readonly Slot[];
  /** What the defense remembers. */
  readonly memory: Memory;
  /** The moving average of all weights, of a training that has one. */
  readonly average: Variables | undefined;
}

/** As they are before the first update. All but the weights are the caller's to dispose, by `disposeOwn`. */
export function trainingVariables(plan: TrainingPlan, network: Network): TrainingVariables {
  const weights = weightsByName(network.trained);
  return {
    weights,
    slots: slotsOf(learningOf(network, plan.start).learns),
    memory: memoryOf(plan.defense, plan.network.input, plan.batch),
    average: plan.ema === null ? undefined : averageOf(weights),
  };
}

/** Disposes all that is not the network's. */
export function disposeOwn({ slots, memory, average }: TrainingVariables): void {
  const velocities = slots.map(({ velocity }) => velocity);
  for (const one of [...velocities, ...Object.values(memory), ...(average?.values() ?? [])]) one.dispose();
}

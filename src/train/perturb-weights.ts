/** Training at other weights than the network's own, for defenses that ask for it. */
import type { WeightWithGradient } from '../core/defense.ts';
import { tf } from '../tf.ts';
import type { StepParts } from './step.ts';

/**
 * Runs while the weights are moved to w + v, with v as the defense's `perturbWeights` says. Afterwards they are w again, to
 * the bit.
 *
 * @param loss - of the batch, at the weights as they are at that moment
 */
export function atPerturbedWeights<T>(
  { defense, params, slots }: Pick<StepParts, 'defense' | 'params' | 'slots'>,
  loss: () => tf.Scalar,
  run: () => T,
): T {
  if (defense.perturbWeights === undefined) return run();
  const { grads } = tf.variableGrads(
    loss,
    slots.map(({ weight }) => weight),
  );
  const weights = slots.flatMap(({ name, weight }): readonly WeightWithGradient[] => {
    const gradient = grads[weight.name];
    return gradient === undefined ? [] : [{ name, weight, gradient }];
  });
  const moves = defense.perturbWeights(weights, params);
  const moved = slots.flatMap(({ name, weight }) => {
    const move = moves[name];
    return move === undefined ? [] : [{ weight, move, own: weight.clone() }];
  });
  for (const { weight, move } of moved) weight.assign(weight.add(move));
  const result = run();
  for (const { weight, own } of moved) weight.assign(own);
  return result;
}

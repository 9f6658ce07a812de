/**
 * An exponential moving average of the weights, w̄ ← dw̄ + (1 - d)w after every update: flatter and often more robust than
 * the weights themselves. Gowal, Qin, Uesato, Mann, Kohli, "Uncovering the Limits of Adversarial Training against
 * Norm-Bounded Adversarial Examples", 2020, section 4.3.
 *
 * The running statistics of batch norm are averaged likewise: those of the last weights would not fit the average, and the
 * exact ones would cost another pass over the images (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
 * Generalization", UAI 2018, section 3.2).
 *
 * So that a short training does not end in what remains of its first weights, d rises to the decay asked for as in
 * TensorFlow's `ExponentialMovingAverage`: after n updates it is at most (1 + n)/(10 + n).
 */
import { tf } from '../tf.ts';
import type { Variables } from './snapshot.ts';

/** @param updates - how many there were before this one */
export const decayAt = (decay: number, updates: number): number => Math.min(decay, (1 + updates) / (10 + updates));

/** An average that begins at the weights as they are, by the same names. The variables are the caller's to dispose. */
export const averageOf = (weights: Variables): Variables =>
  new Map(
    [...weights].map(([name, weight]) => [
      name,
      // A copy, since the backend keeps the array it is given.
      tf.tidy(() => tf.variable(tf.tensor(weight.dataSync().slice(), weight.shape), false)),
    ]),
  );

/**
 * Moves an average towards the weights, in place. What does not learn stays as it is, but for the sign of a zero.
 *
 * @param share - 1 - d, a scalar
 */
export function follow(average: Variables, weights: Variables, share: tf.Scalar): void {
  for (const [name, mean] of average) {
    const weight = weights.get(name);
    if (weight === undefined) throw new Error(`the average has ${name}, which the weights lack`);
    tf.tidy(() => mean.assign(mean.add(weight.sub(mean).mul(share))));
  }
}

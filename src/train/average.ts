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
import type { Snapshot, Variables } from './snapshot.ts';

/** @param updates - how many there were before this one */
export const decayAt = (decay: number, updates: number): number => Math.min(decay, (1 + updates) / (10 + updates));

/** Moves an average towards the weights, in place. What does not learn stays as it is, to the bit. */
export function follow(average: Snapshot, variables: Variables, decay: number): void {
  for (const [name, variable] of variables) {
    const [mean, weights] = [average.get(name), variable.dataSync<'float32'>()];
    if (mean === undefined) throw new Error(`the average lacks ${name}`);
    for (let i = 0; i < mean.length; i++) {
      const before = mean[i] as number;
      const change = (1 - decay) * ((weights[i] as number) - before);
      // Nothing added to -0 would be 0.
      if (change !== 0) mean[i] = before + change;
    }
  }
}

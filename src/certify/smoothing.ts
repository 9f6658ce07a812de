/**
 * Randomized smoothing: the smoothed classifier g(x) is the class that the base classifier is likeliest to take x + σ·N(0, I)
 * for. If that class has probability pA > 1/2, no perturbation of x with ‖δ‖₂ < σ·Φ⁻¹(pA) changes g.
 *
 * Cohen, Rosenfeld, Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019: theorem 1, and the
 * procedures CERTIFY and PREDICT of section 3.2. Here they are what is concluded from votes: how many noisy copies the base
 * classifier took for each class.
 */
import { normalQuantile } from '../core/normal-quantile.ts';
import { clopperPearsonLower, fairnessP } from '../core/statistics.ts';

/** How many noisy copies were taken for each class. */
export type Votes = Uint32Array;

/** The class with the most votes, of equal ones the first. */
export const leader = (votes: Votes): number => votes.indexOf(Math.max(...votes));

export const countOf = (votes: Votes): number => votes.reduce((sum, count) => sum + count, 0);

export interface Level {
  /** Standard deviation of the noise, in pixel units. */
  readonly sigma: number;
  /** The probability with which what is concluded may be wrong. */
  readonly alpha: number;
}

/**
 * The end of CERTIFY: the L2 radius in which the smoothed classifier's class is the one chosen beforehand, by other copies,
 * with confidence 1 - α; null where it abstains, for the class is not surely likelier than all others together.
 *
 * @param votes - how many of the copies were taken for that class
 * @throws RangeError unless 0 ≤ votes ≤ samples, samples > 0, and 0 < α < 1
 */
export function certifiedRadius(votes: number, samples: number, { sigma, alpha }: Level): number | null {
  const probability = clopperPearsonLower(votes, samples, alpha);
  return probability > 0.5 ? sigma * normalQuantile(probability) : null;
}

/** No radius can be larger, however sure the network is: all of so many copies cannot show more. */
export const largestRadius = (samples: number, level: Level): number => certifiedRadius(samples, samples, level) ?? 0;

/**
 * PREDICT: the smoothed classifier's class, or null where it abstains. It returns another class than g(x) with probability α
 * at most.
 */
export function prediction(votes: Votes, alpha: number): number | null {
  const first = leader(votes);
  const most = votes[first] ?? 0;
  const second = Math.max(0, ...votes.filter((_, index) => index !== first));
  return most > 0 && fairnessP(most, second) <= alpha ? first : null;
}

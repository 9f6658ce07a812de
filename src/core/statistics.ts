import { requireCounts, upperTail } from './binomial.ts';

/** The standard normal's 97.5 % point. */
const Z95 = 1.959963984540054;

/**
 * Wilson score interval of a proportion at 95 % (Wilson 1927): honest at 0 and 100 %, where the textbook interval has no
 * width. 90 of 100 gives [.82563, .94477].
 *
 * @throws RangeError unless 0 ≤ successes ≤ trials and trials > 0
 */
export function wilson95(successes: number, trials: number): [low: number, high: number] {
  if (!(trials > 0 && successes >= 0 && successes <= trials)) {
    throw new RangeError(`no interval for ${successes} of ${trials}`);
  }
  const share = successes / trials;
  const z2 = Z95 * Z95;
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (Z95 / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  // The closed form is exactly 0 or 1 at the ends; rounding may leave it an ulp outside.
  return [successes === 0 ? 0 : Math.max(0, centre - half), successes === trials ? 1 : Math.min(1, centre + half)];
}

/**
 * The lower end of the one-sided Clopper–Pearson interval: a chance p so low that as many successes or more happen with
 * probability `alpha` at most, P(X ≥ successes | p) ≤ alpha. Whatever the true chance is, the bound exceeds it in at most
 * that share of samples (Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
 * Binomial", Biometrika 26(4), 1934). All of 1,000 at .001 give .99312.
 *
 * @throws RangeError unless 0 ≤ successes ≤ trials, trials > 0 and 0 < alpha < 1
 */
export function clopperPearsonLower(successes: number, trials: number, alpha: number): number {
  requireCounts(successes, trials);
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`${alpha} is no probability of error: give one between 0 and 1`);
  if (successes === 0) return 0;
  // Bisection, down to neighbouring numbers; what is kept is the end that is too low.
  let [low, high] = [0, 1];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return low;
    if (upperTail(successes, trials, middle) <= alpha) low = middle;
    else high = middle;
  }
}

/**
 * The exact two-sided test of a fair coin: how likely a split at least as uneven is, 2·P(X ≥ max) and at most 1.
 *
 * @throws RangeError unless both are whole numbers, not negative and not both 0
 */
export function fairnessP(heads: number, tails: number): number {
  const most = Math.max(heads, tails);
  return Math.min(1, 2 * upperTail(most, heads + tails, 0.5));
}

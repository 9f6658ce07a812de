/**
 * The sign test: how probable it is that of `trials` images on which two equally strong attacks disagree, so many or more
 * go one way. One-sided and exact.
 *
 * Dixon, Mood, "The Statistical Sign Test", Journal of the American Statistical Association 41, 1946.
 *
 * @throws RangeError unless 0 ≤ successes ≤ trials
 */
export function signTest(successes: number, trials: number): number {
  if (!(successes >= 0 && successes <= trials)) throw new RangeError(`no sign test for ${successes} of ${trials}`);
  // C(n, k) / 2ⁿ from the term before it, in logarithms: 2⁻ⁿ alone is soon 0.
  let log = -trials * Math.LN2;
  let sum = 0;
  for (let k = 0; k <= trials; k++) {
    if (k >= successes) sum += Math.exp(log);
    log += Math.log((trials - k) / (k + 1));
  }
  return Math.min(1, sum);
}

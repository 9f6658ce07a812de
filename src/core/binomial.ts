/**
 * The binomial distribution, exact to a few units of the last place also where a hundred thousand trials meet a chance
 * of one in a million: no difference of large logarithms is ever taken.
 */

/**
 * P(X ≥ successes) for X ~ Binomial(trials, chance): the regularised incomplete beta function I_p(k, n - k + 1).
 *
 * @throws RangeError unless trials and successes are whole, 0 ≤ successes ≤ trials, trials > 0, and 0 ≤ chance ≤ 1
 */
export function upperTail(successes: number, trials: number, chance: number): number {
  requireCounts(successes, trials);
  if (!(chance >= 0 && chance <= 1)) throw new RangeError(`${chance} is no probability`);
  if (successes === 0 || chance === 1) return 1;
  if (chance === 0) return 0;
  const [k, others] = [successes, trials - successes + 1];
  const point = density(k, trials, chance);
  // The fraction converges fast only below the mean; beyond it, the other tail is the small one.
  if (chance < (k + 1) / (trials + 3)) return (1 - chance) * point * betaFraction(k, others, chance);
  return 1 - ((k * (1 - chance)) / others) * point * betaFraction(others, k, 1 - chance);
}

/** @throws RangeError as `upperTail` */
export function requireCounts(successes: number, trials: number): void {
  const isCount = Number.isSafeInteger(successes) && Number.isSafeInteger(trials);
  if (isCount && trials > 0 && successes >= 0 && successes <= trials) return;
  throw new RangeError(`${successes} of ${trials} are no successes among trials`);
}

/**
 * P(X = k), by the saddle-point expansion of Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000,
 * equations 3 and 4.
 */
function density(k: number, n: number, p: number): number {
  if (k === n) return p ** n;
  const others = n - k;
  const exponent =
    stirlingError(n) - stirlingError(k) - stirlingError(others) - deviance(k, n * p) - deviance(others, n * (1 - p));
  return Math.sqrt(n / (2 * Math.PI * k * others)) * Math.exp(exponent);
}

/** Up to here n! is an exact double. */
const EXACT_FACTORIAL = 15;

/** log n! - log(√(2πn)·(n/e)ⁿ) for n ≥ 1. */
function stirlingError(n: number): number {
  if (n <= EXACT_FACTORIAL) {
    let factorial = 1;
    for (let i = 2; i <= n; i++) factorial *= i;
    return Math.log(factorial) - (n + 0.5) * Math.log(n) + n - Math.log(2 * Math.PI) / 2;
  }
  const square = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / square) / square) / square) / square) / n;
}

/** x·log(x/m) + m - x, as a series where x is so near m that the terms would cancel. */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const v = (x - m) / (x + m);
  let sum = (x - m) * v;
  let term = 2 * x * v;
  for (let odd = 3; ; odd += 2) {
    term *= v * v;
    const next = sum + term / odd;
    if (next === sum) return sum;
    sum = next;
  }
}

/** Stands in for a zero that is about to divide. */
const TINY = 1e-300;

/** The continued fraction of I_x(a, b) (NIST Digital Library of Mathematical Functions, 8.17.22), by Lentz's method. */
function betaFraction(a: number, b: number, x: number): number {
  const away = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let numerator = 1;
  let denominator = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = denominator;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let factor = 1;
    for (const coefficient of [even, odd]) {
      denominator = 1 / away(1 + coefficient * denominator);
      numerator = away(1 + coefficient / numerator);
      factor = denominator * numerator;
      fraction *= factor;
    }
    if (Math.abs(factor - 1) <= Number.EPSILON) return fraction;
  }
}

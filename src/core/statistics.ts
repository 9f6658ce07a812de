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

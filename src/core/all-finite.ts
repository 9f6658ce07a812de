/**
 * Whether all values are finite: a number times nought is nought, an infinity or no number is none. Sums of that ask nothing
 * about single values, and four of them do not wait for each other: all weights of a large network are looked at whenever its
 * training is saved, and `every(Number.isFinite)` would take ten times as long.
 */
export function allFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (values[i] as number) * 0;
    b += (values[i + 1] as number) * 0;
    c += (values[i + 2] as number) * 0;
    d += (values[i + 3] as number) * 0;
  }
  for (const value of values.subarray(whole)) a += value * 0;
  return a + b + c + d === 0;
}

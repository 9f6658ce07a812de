/** Norms and projections in float64, by other means than the code under test. */
import type { Norm } from '../../src/core/threat-model.ts';

const at = (values: ArrayLike<number>, i: number): number => values[i] as number;
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

export function normOf(norm: Norm, x: ArrayLike<number>): number {
  const sizes = Array.from(x, Math.abs);
  if (norm === 'Linf') return sizes.reduce((a, b) => Math.max(a, b), 0);
  return norm === 'L2' ? Math.sqrt(sum(sizes.map((size) => size ** 2))) : sum(sizes);
}

export const dual: Readonly<Record<Norm, Norm>> = { Linf: 'L1', L2: 'L2', L1: 'Linf' };

export const inner = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((total, value, i) => total + value * at(b, i), 0);

export const minus = (a: ArrayLike<number>, b: ArrayLike<number>): number[] =>
  Array.from(a, (value, i) => value - at(b, i));

const clip = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** The projection that `Ball.project` promises: on the ball, then on the box; in L1 on both at once. */
export function projection(norm: Norm, x: ArrayLike<number>, clean: ArrayLike<number>, epsilon: number): number[] {
  const delta = minus(x, clean);
  const boxed = (moved: readonly number[]): number[] => moved.map((d, i) => clip(at(clean, i) + d, 0, 1));
  if (norm === 'Linf') return boxed(delta.map((d) => clip(d, -epsilon, epsilon)));
  if (norm === 'L2') {
    const length = normOf('L2', delta);
    return boxed(length > epsilon ? delta.map((d) => (d * epsilon) / length) : delta);
  }
  const shrunk = (threshold: number): number[] => {
    const kept = delta.map((d) => Math.sign(d) * Math.max(0, Math.abs(d) - threshold));
    return kept.map((d, i) => clip(d, -at(clean, i), 1 - at(clean, i)));
  };
  const excess = (threshold: number): number => normOf('L1', shrunk(threshold)) - epsilon;
  if (excess(0) <= 0) return boxed(shrunk(0));
  // The norm is linear in the threshold between these: where an entry leaves the wall, and where it vanishes.
  const rooms = delta.map((d, i) => (d > 0 ? 1 - at(clean, i) : at(clean, i)));
  const corners = [0, ...delta.flatMap((d, i) => [Math.abs(d), Math.max(0, Math.abs(d) - at(rooms, i))])];
  corners.sort((a, b) => a - b);
  const after = corners.findIndex((corner) => excess(corner) <= 0);
  const [left, right] = [at(corners, after - 1), at(corners, after)];
  const share = excess(left) / (excess(left) - excess(right));
  return boxed(shrunk(left + share * (right - left)));
}

/**
 * The Kolmogorov–Smirnov distance of values from the uniform distribution on (0,1), times √n: above 1.95 once in a
 * thousand samples.
 */
export function distanceFromUniform(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  return Math.sqrt(n) * Math.max(...sorted.map((value, i) => Math.max(value - i / n, (i + 1) / n - value)));
}

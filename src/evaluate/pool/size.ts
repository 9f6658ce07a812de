/** How large a perturbation is. */
import { distance, TOLERANCE } from './verify.ts';

export interface Size {
  /** L2 norm of the perturbation, in pixel units, to six digits. */
  readonly l2: number;
  /** Share of the values that it moved by the radius or more, be it up or down. */
  readonly atBound: number;
}

/** Digits that are kept of a length: they are to be read, and to be kept by the thousand. */
const DIGITS = 6;

/** @param epsilon - of the ball in Linf; a value counts as moved by it up to rounding */
export function sizeOf(x: Float32Array, clean: Float32Array, epsilon: number): Size {
  let moved = 0;
  for (let i = 0; i < x.length; i++) {
    if (Math.abs((x[i] as number) - (clean[i] as number)) >= epsilon - TOLERANCE) moved += 1;
  }
  const round = (value: number): number => Number(value.toPrecision(DIGITS));
  return { l2: round(distance('L2', x, clean)), atBound: round(moved / x.length) };
}

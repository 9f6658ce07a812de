/** What the adversary may do: how far (norm, epsilon) and to what end (goal). */

/** The norms in which a perturbation is measured, over all pixels and channels of one image. */
export const NORMS = ['Linf', 'L2', 'L1'] as const;
/** One of `NORMS`. */
export type Norm = (typeof NORMS)[number];

/** What a radius is, in words: see `isRadius`. */
export const RADIUS = 'a radius is 0 or more, and in Linf at most 1; pixels are in [0,1]';

/** Whether a radius in pixel units can be meant: pixels span [0,1], so more than 1 means nothing in Linf. */
export const isRadius = (norm: Norm, epsilon: number): boolean =>
  Number.isFinite(epsilon) && epsilon >= 0 && (norm !== 'Linf' || epsilon <= 1);

/** How far two images of so many values in [0,1] can be apart: a larger ball is no ball, but all images. */
export const diameterOf = (norm: Norm, values: number): number =>
  ({ Linf: 1, L2: Math.sqrt(values), L1: values })[norm];

/** Untargeted: any wrong class will do. Targeted: the class of index `target`. */
export type Goal = { readonly kind: 'untargeted' } | { readonly kind: 'targeted'; readonly target: number };

/** How far the adversary may go, and to what end. */
export interface ThreatModel {
  readonly norm: Norm;
  /** Radius of the ball, in pixel units: images live in [0,1]. */
  readonly epsilon: number;
  readonly goal: Goal;
}

/** The goal that any wrong class meets. */
export const UNTARGETED: Goal = { kind: 'untargeted' };

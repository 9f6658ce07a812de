/** What the adversary may do: how far (norm, epsilon) and to what end (goal). */

/** The norms in which a perturbation is measured, over all pixels and channels of one image. */
export const NORMS = ['Linf', 'L2', 'L1'] as const;
export type Norm = (typeof NORMS)[number];

/** Untargeted: any wrong class will do. Targeted: the class of index `target`. */
export type Goal = { readonly kind: 'untargeted' } | { readonly kind: 'targeted'; readonly target: number };

export interface ThreatModel {
  readonly norm: Norm;
  /** Radius of the ball, in pixel units: images live in [0,1]. */
  readonly epsilon: number;
  readonly goal: Goal;
}

export const UNTARGETED: Goal = { kind: 'untargeted' };

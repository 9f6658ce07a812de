/** What the adversary may do: how far (norm and epsilon, or shifts and turns) and to what end (goal). */

/** The norms in which a perturbation is measured, over all pixels and channels of one image. */
export const NORMS = ['Linf', 'L2', 'L1'] as const;
/** One of `NORMS`. */
export type Norm = (typeof NORMS)[number];

/**
 * What limits the adversary: a norm, whose ball it may not leave; or `spatial`, where it may only shift and turn the image,
 * by so many times what `pose.ts` takes for the customary most.
 */
export const THREATS = [...NORMS, 'spatial'] as const;
/** One of `THREATS`. */
export type Threat = (typeof THREATS)[number];

/** Of `spatial`, half a turn. */
const MOST = 6;

const LARGEST: Readonly<Record<Threat, number>> = {
  Linf: 1,
  L2: Number.POSITIVE_INFINITY,
  L1: Number.POSITIVE_INFINITY,
  spatial: MOST,
};

/** What a radius is, in words: see `isRadius`. */
export const RADIUS = `a radius is 0 or more, in Linf at most 1, since pixels are in [0,1], and in spatial at most ${MOST}, half a turn`;

/** Whether a radius can be meant: pixels span [0,1], so more than 1 means nothing in Linf, nor more than half a turn. */
export const isRadius = (threat: Threat, epsilon: number): boolean =>
  Number.isFinite(epsilon) && epsilon >= 0 && epsilon <= LARGEST[threat];

/** How far two images of so many values in [0,1] can be apart: a larger ball is no ball, but all images. */
export const diameterOf = (threat: Threat, values: number): number =>
  ({ Linf: 1, L2: Math.sqrt(values), L1: values, spatial: MOST })[threat];

/** Untargeted: any wrong class will do. Targeted: the class of index `target`. */
export type Goal = { readonly kind: 'untargeted' } | { readonly kind: 'targeted'; readonly target: number };

/** How far the adversary may go, and to what end. */
export interface ThreatModel {
  readonly norm: Threat;
  /** Radius of the ball, in pixel units: images live in [0,1]. */
  readonly epsilon: number;
  readonly goal: Goal;
}

/** The goal that any wrong class meets. */
export const UNTARGETED: Goal = { kind: 'untargeted' };

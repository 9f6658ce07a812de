/**
 * The geometry of Lp balls on batches of images: nothing else in the program but `hyperplane.ts` knows about norms.
 *
 * Images are [B, H, W, C] in [0,1]; a radius is [B, 1, 1, 1], one per image. A norm is taken over all pixels and channels
 * of one image. Everything is per image: no value of one image touches another.
 */
import { tf } from '../tf.ts';
import type { Norm } from './threat-model.ts';

/** The axes of an image in a batch. */
export const PIXELS = [1, 2, 3];

/** The set that an adversarial image may be taken from: ‖x - clean‖ ≤ epsilon, intersected with the box [0,1]. */
export interface Ball {
  readonly norm: Norm;
  /** The unit perturbation u that maximises ⟨g, u⟩: [B, H, W, C]. A zero gradient gives zero, never NaN. */
  steepest(gradient: tf.Tensor4D): tf.Tensor4D;
  /**
   * `steepest` for one of many steps from x. In L1, where that is one pixel, the step is spread evenly over the `share` of
   * the pixels of largest |g|, those left out that the wall of the box stops at once; in other norms nothing is different.
   */
  spread(gradient: tf.Tensor4D, x: tf.Tensor4D, share: number): tf.Tensor4D;
  /** The nearest point of the ball, then of the box (for L1 the nearest point of both at once): [B, H, W, C]. */
  project(x: tf.Tensor4D): tf.Tensor4D;
  /** A point drawn uniformly from the ball, then clipped to the box: [B, H, W, C]. */
  randomPoint(): tf.Tensor4D;
  /** Such a point moved outwards to the edge, then clipped to the box: in Linf some pixel of it is on a face. */
  randomEdgePoint(): tf.Tensor4D;
}

/** Per-image draws of the given shape, which becomes [B, ...shape]. */
export type Noise = (shape: readonly number[], distribution: 'uniform' | 'normal') => tf.Tensor;

export interface BallSpec {
  /** [B, H, W, C] */
  readonly clean: tf.Tensor4D;
  /** [B, 1, 1, 1] */
  readonly epsilon: tf.Tensor4D;
  readonly noise: Noise;
}

/** The ball of radius `epsilon` around `clean` in the given norm. */
export function ball(norm: Norm, { clean, epsilon, noise }: BallSpec): Ball {
  const geometry = GEOMETRY[norm];
  const toEdge = (u: tf.Tensor4D): tf.Tensor4D => u.div(geometry.size(u).maximum(TINY));
  return {
    norm,
    steepest: (gradient) => geometry.steepest(gradient),
    spread: (gradient, x, share) => (geometry.spread ?? geometry.steepest)(gradient, x, share),
    project: (x) => geometry.project(x.sub(clean), clean, epsilon),
    randomPoint: () => toBox(clean.add(geometry.uniform(clean, noise).mul(epsilon))),
    randomEdgePoint: () => toBox(clean.add(toEdge(geometry.uniform(clean, noise)).mul(epsilon))),
  };
}

/** ‖x‖ of every image: [B, 1, 1, 1]. */
export function sizeOf(norm: Norm, x: tf.Tensor4D): tf.Tensor4D {
  return GEOMETRY[norm].size(x);
}

/**
 * The nearest perturbation that is no longer than `epsilon`, whatever image it is to be added to: box and image have no say.
 *
 * @param perturbation - [B, H, W, C]
 * @param epsilon - [B, 1, 1, 1]
 */
export function shorten(norm: Norm, perturbation: tf.Tensor4D, epsilon: tf.Tensor4D): tf.Tensor4D {
  return GEOMETRY[norm].shorten(perturbation, epsilon);
}

interface Geometry {
  /** The nearest point of the ball around 0. */
  shorten(delta: tf.Tensor4D, epsilon: tf.Tensor4D): tf.Tensor4D;
  size(x: tf.Tensor4D): tf.Tensor4D;
  steepest(gradient: tf.Tensor4D): tf.Tensor4D;
  /** Where a step along one direction alone is a poor one of many. */
  spread?(gradient: tf.Tensor4D, x: tf.Tensor4D, share: number): tf.Tensor4D;
  project(delta: tf.Tensor4D, clean: tf.Tensor4D, epsilon: tf.Tensor4D): tf.Tensor4D;
  /** A point of the unit ball around 0. */
  uniform(like: tf.Tensor4D, noise: Noise): tf.Tensor4D;
}

const toBox = (x: tf.Tensor4D): tf.Tensor4D => tf.clipByValue(x, 0, 1);
const perImage = (shape: readonly number[]): number[] => shape.slice(1);
const dimension = (shape: readonly number[]): number => perImage(shape).reduce((a, b) => a * b, 1);

/** Sum over each image: [B, 1, 1, 1]. In stages, so that float32 adds few numbers at a time and stays exact to 1e-7. */
export const sumOf = (x: tf.Tensor4D): tf.Tensor4D => x.sum([2, 3], true).sum([1], true);

/** ‖x‖₂ of every image, for entries above 1e-19, whose squares do not underflow: [B, 1, 1, 1]. */
const euclidean = (x: tf.Tensor4D): tf.Tensor4D => sumOf(x.square()).sqrt();

/** Stands in for a zero that is about to divide a zero. */
export const TINY = 1e-30;

/** The radius of a uniform point in the unit ball of dimension d: U^(1/d). */
const uniformRadius = (d: number, noise: Noise): tf.Tensor4D => noise([1, 1, 1], 'uniform').pow(1 / d) as tf.Tensor4D;

const linf: Geometry = {
  size: (x) => x.abs().max(PIXELS, true),
  steepest: (gradient) => gradient.sign(),
  shorten: (delta, epsilon) => delta.maximum(epsilon.neg()).minimum(epsilon) as tf.Tensor4D,
  project: (delta, clean, epsilon) => toBox(clean.add(linf.shorten(delta, epsilon))),
  uniform: (like, noise) => noise(perImage(like.shape), 'uniform').mul(2).sub(1) as tf.Tensor4D,
};

const l2: Geometry = {
  size: euclidean,
  steepest: (gradient) => {
    // Scaled by the largest entry first: squares of gradients below 1e-19 or above 1e19 are not float32 numbers.
    const largest: tf.Tensor4D = gradient.abs().max(PIXELS, true);
    const scaled = gradient.div(largest.add(largest.equal(0).toFloat())) as tf.Tensor4D;
    // Its length is at least 1, unless the gradient is zero and stays so.
    return scaled.div(euclidean(scaled).maximum(1));
  },
  // Exactly 1 inside the ball, ε/‖δ‖ outside, 0 where ε is.
  shorten: (delta, epsilon) => delta.mul(epsilon.div(euclidean(delta).maximum(epsilon).maximum(TINY))),
  project: (delta, clean, epsilon) => toBox(clean.add(l2.shorten(delta, epsilon))),
  uniform: (like, noise) => {
    const direction = noise(perImage(like.shape), 'normal') as tf.Tensor4D;
    return direction.div(euclidean(direction).maximum(TINY)).mul(uniformRadius(dimension(like.shape), noise));
  },
};

/** How far each pixel of x can move in the direction of `sign` before it meets the wall of the box. */
const roomFor = (sign: tf.Tensor4D, x: tf.Tensor4D): tf.Tensor4D =>
  tf.where(sign.greater(0), tf.scalar(1).sub(x), x) as tf.Tensor4D;

/** Halvings of the interval that holds the L1 threshold: its width ends below float32's resolution of pixel values. */
const BISECTIONS = 40;

/**
 * Exact projection onto {‖δ‖₁ ≤ ε} ∩ {0 ≤ clean + δ ≤ 1} (Croce and Hein, "Mind the Box", ICML 2021, section 3).
 *
 * The solution is δ(λ) = clip(sign(δ)·max(|δ| - λ, 0)) for the smallest λ ≥ 0 with ‖δ(λ)‖₁ ≤ ε. The norm falls
 * monotonically in λ, so bisection finds it; the upper end, which is always feasible, is kept.
 */
function projectL1(delta: tf.Tensor4D, clean: tf.Tensor4D, epsilon: tf.Tensor4D): tf.Tensor4D {
  return toBox(clean.add(shrinkL1(delta, roomFor(delta.sign(), clean), epsilon)));
}

/** δ(λ), where no pixel moves farther than it has room. */
function shrinkL1(delta: tf.Tensor4D, room: tf.Tensor4D, epsilon: tf.Tensor4D): tf.Tensor4D {
  const size = delta.abs();
  const shrunk = (threshold: tf.Tensor4D): tf.Tensor4D => size.sub(threshold).relu().minimum(room);
  const fits = (threshold: tf.Tensor4D): tf.Tensor => sumOf(shrunk(threshold)).lessEqual(epsilon);

  let low = tf.zerosLike(epsilon);
  let high: tf.Tensor4D = size.max(PIXELS, true);
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = low.add(high).mul(0.5) as tf.Tensor4D;
    const feasible = fits(middle);
    high = tf.where(feasible, middle, high);
    low = tf.where(feasible, low, middle);
  }
  const threshold = tf.where(fits(tf.zerosLike(epsilon)), tf.zerosLike(epsilon), high);
  return delta.sign().mul(shrunk(threshold));
}

/**
 * sign(g)/k on the k pixels of largest |g| (all of equal |g| with the last of them), 0 elsewhere: length 1 in L1.
 *
 * Tramèr and Boneh, "Adversarial Training and Robustness for Multiple Perturbations", NeurIPS 2019, section 3 (SLIDE).
 * Their program too can leave out pixels that are at the wall which they would have to pass.
 */
function spreadL1(gradient: tf.Tensor4D, x: tf.Tensor4D, share: number): tf.Tensor4D {
  const free = gradient.mul<tf.Tensor4D>(roomFor(gradient, x).greater(0).toFloat());
  const size = free.abs();
  const k = Math.max(1, Math.ceil(share * dimension(x.shape)));
  const { values } = tf.topk(size.reshape([x.shape[0], -1]), k);
  const least = values.slice([0, k - 1], [-1, 1]).reshape<tf.Tensor4D>([-1, 1, 1, 1]);
  return signsFrom(free, least);
}

/** sign(g)/n on the n pixels whose |g| is at least `least` [B, 1, 1, 1], 0 elsewhere: length 1 in L1, or none. */
export function signsFrom(gradient: tf.Tensor4D, least: tf.Tensor4D): tf.Tensor4D {
  const signs = gradient.sign().mul<tf.Tensor4D>(gradient.abs().greaterEqual(least).toFloat());
  return signs.div(sumOf(signs.abs()).maximum(1));
}

const l1: Geometry = {
  size: (x) => sumOf(x.abs()),
  steepest: (gradient) => {
    const flat = gradient.reshape([gradient.shape[0], -1]);
    const largest = flat.abs().argMax(1);
    const oneHot = tf.oneHot(largest, flat.shape[1] as number).toFloat();
    return oneHot.mul(flat.sign()).reshape(gradient.shape) as tf.Tensor4D;
  },
  spread: spreadL1,
  shorten: (delta, epsilon) => shrinkL1(delta, delta.abs(), epsilon),
  project: projectL1,
  uniform: (like, noise) => {
    // Laplace variables divided by their L1 norm are uniform on the sphere of the L1 ball.
    const centred = noise(perImage(like.shape), 'uniform').sub(0.5) as tf.Tensor4D;
    const laplace = centred.sign().mul(tf.scalar(1).sub(centred.abs().mul(2)).log().neg()) as tf.Tensor4D;
    return laplace.div(sumOf(laplace.abs()).maximum(TINY)).mul(uniformRadius(dimension(like.shape), noise));
  },
};

const GEOMETRY: Readonly<Record<Norm, Geometry>> = { Linf: linf, L2: l2, L1: l1 };

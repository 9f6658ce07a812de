/**
 * The shortest way from an image to a hyperplane, inside the box [0,1]: what attacks walk that take the network for linear.
 *
 * Every norm lets each pixel move towards the plane alone, and differs in who moves how far. A pixel of weight a = |w| whose
 * wall is `room` away moves by min(t, room) in Linf, by min(t·a, room) in L2, for one t that all share; in L1 the heaviest
 * pixels move first, each to its wall. Croce and Hein, "Minimally distorted Adversarial Examples with a Fast Adaptive
 * Boundary Attack", ICML 2020, section 3.1 and appendix A, where the same is found by sorting.
 */
import { tf } from '../tf.ts';
import { PIXELS, sumOf, TINY } from './ball.ts';
import type { Norm } from './threat-model.ts';

/** A linear function of images, at one point per image. */
export interface Linear {
  /** Its value there, [B, 1, 1, 1]. */
  readonly value: tf.Tensor4D;
  /** Its gradient, [B, H, W, C]. */
  readonly gradient: tf.Tensor4D;
}

/**
 * The smallest δ with value + ⟨gradient, δ⟩ = 0 and x + δ in the box: [B, H, W, C]. Where no image of the box is on the
 * plane, it leads to the corner that comes nearest to it; pixels of zero gradient stay.
 */
export function toHyperplane(norm: Norm, x: tf.Tensor4D, { value, gradient }: Linear): tf.Tensor4D {
  const largest: tf.Tensor4D = gradient.abs().max(PIXELS, true);
  // Scaled, so that no square of a weight leaves float32's range.
  const scale = largest.add(largest.equal(0).toFloat()) as tf.Tensor4D;
  const direction = gradient.sign().mul(value.sign()).neg() as tf.Tensor4D;
  const room = tf.where(direction.greater(0), tf.scalar(1).sub(x), x) as tf.Tensor4D;
  const weight = gradient.abs().div(scale) as tf.Tensor4D;
  return direction.mul(MOVES[norm]({ weight, room, need: value.abs().div(scale) }));
}

interface Task {
  /** How much a pixel's move counts, at most 1. */
  readonly weight: tf.Tensor4D;
  /** How far it can move. */
  readonly room: tf.Tensor4D;
  /** What Σ weight·move must come to: [B, 1, 1, 1]. */
  readonly need: tf.Tensor4D;
}

/**
 * At each of Newton's steps here what is missing or the slope halves at least, and their product falls to a quarter: this
 * many take it below float32's resolution.
 */
const NEWTON_STEPS = 16;

/** Farther than any pixel can move. */
const FAR = 1e30;

/**
 * Moves min(t·speed, room), with t such that Σ weight·move = need. The sum is a concave function of t that consists of
 * straight pieces, so Newton's method from 0 never passes the solution, and stands on it once its piece is found.
 */
function together({ weight, room, need }: Task, speed: tf.Tensor4D): tf.Tensor4D {
  const slopes = weight.mul(speed);
  const gains = weight.mul(room);
  let t: tf.Tensor4D = tf.zerosLike(need);
  for (let i = 0; i < NEWTON_STEPS; i++) {
    const free = speed.mul(t).less(room).toFloat();
    const slope = sumOf(slopes.mul(free));
    const atWalls = sumOf(gains.mul(tf.scalar(1).sub(free)));
    // Without a free pixel of any weight there is nothing more to gain: all go to their walls.
    t = t.maximum(need.sub(atWalls).div(slope.maximum(TINY)).minimum(FAR));
  }
  return speed.mul(t).minimum(room);
}

/** Halvings of the interval that holds the weight of the last pixel to move. */
const BISECTIONS = 30;

/** Moves the heaviest pixels to their walls, and the last one as far as is left to go; equals share that. */
function heaviestFirst({ weight, room, need }: Task): tf.Tensor4D {
  const gains = weight.mul(room);
  const above = (threshold: tf.Tensor4D) => weight.greater(threshold).toFloat() as tf.Tensor4D;
  const gainAbove = (threshold: tf.Tensor4D): tf.Tensor4D => sumOf(gains.mul(above(threshold)));

  let low = tf.zerosLike(need);
  let high: tf.Tensor4D = tf.onesLike(need);
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = low.add(high).mul(0.5) as tf.Tensor4D;
    const affordable = gainAbove(middle).lessEqual(need);
    high = tf.where(affordable, middle, high);
    low = tf.where(affordable, low, middle);
  }
  const heaviest = above(high);
  const last = above(low).sub(heaviest);
  const left = need.sub(gainAbove(high));
  const share = left.div(sumOf(gains.mul(last)).maximum(TINY)).clipByValue(0, 1);
  return room.mul(heaviest.add(last.mul(share)));
}

const MOVES: Readonly<Record<Norm, (task: Task) => tf.Tensor4D>> = {
  Linf: (task) => together(task, tf.onesLike(task.weight)),
  L2: (task) => together(task, task.weight),
  L1: heaviestFirst,
};

/**
 * L1-APGD, the form of Auto-PGD in L1, where the steepest direction is a single pixel: every step moves the k pixels of
 * largest gradient, x ← Π(x + η · sign(g)/k), and k follows the sparsity that the best perturbation has come to. At a
 * checkpoint k becomes ‖x_best - x₀‖₀ / 1.5; where that count has fallen by more than 5 % the walk goes on from the best
 * point with η = r, and elsewhere η is divided by 1.5, down to r/10. There is no momentum. Π, the projection on ball and
 * box at once, is exact, and the radius r is 3ε for 3 of 10 steps, 2ε for as many, then ε: each phase starts where the best
 * point of the one before is projected to, and only the points of the last one count.
 *
 * Croce, Hein, "Mind the Box: l₁-APGD for Sparse Adversarial Attacks on Image Classifiers", ICML 2021. As in the authors'
 * program checkpoints are 4 % of a phase apart, but at least one step, a step leaves the best point along that point's own
 * gradient, and a phase starts with k from the pixels that its first point has moved, with η = r and with no best point. The
 * very first point is x₀ with normal noise of variance 1 on it, projected; where it is x₀ itself, k is .2 of the pixels.
 *
 * Unlike there the look at the first point of a phase is one of its steps, so that each step takes one gradient: the first
 * two phases move once less. Phases that do not come out even are rounded so that the last is longer.
 */
import { tf } from '../tf.ts';
import type { AttackContext, AttackState, Loss } from './attack.ts';
import { ball, PIXELS, signsFrom } from './ball.ts';
import { column } from './column.ts';

export interface SparseAscent extends AttackState {
  /** η/r, from 1 down to .1: [B, 1, 1, 1]. */
  readonly pace: tf.Tensor4D;
  /** ‖x_best - x₀‖₀ at the last checkpoint: [B, 1, 1, 1]. */
  readonly moved: tf.Tensor4D;
  readonly best: tf.Tensor4D;
  readonly bestGradient: tf.Tensor4D;
  /** [B, 1, 1, 1]. */
  readonly bestLoss: tf.Tensor4D;
  readonly isCandidate: tf.Tensor1D;
}

type Start = Pick<AttackContext, 'clean' | 'epsilon' | 'iteration' | 'noise'>;
type Surroundings = Start & Pick<AttackContext, 'valueAndGradient'>;

/** Of how many moved pixels the next step moves one. */
const SPARSER = 1.5;
const SLOWER = 1.5;
const SLOWEST = 0.1;
/** The count has fallen if it is below this share of the one before. */
const FALLEN = 0.95;
/** Stands in for the share of moved pixels at the clean image: k is .2 of all. */
const AT_FIRST = 0.2 * SPARSER;

/** Before the first of `steps` steps. */
export function startSparse({ clean, epsilon, iteration, noise }: Start, steps: number, random: boolean): SparseAscent {
  const { radius } = phaseAt(iteration, steps);
  const widest = ball('L1', { clean, epsilon: epsilon.mul(radius), noise });
  const x = random ? widest.project(clean.add(noise(clean.shape.slice(1), 'normal'))) : clean;
  return {
    ...{ x, pace: tf.onesLike(epsilon), best: x, bestGradient: tf.zerosLike(x), bestLoss: unknown(epsilon) },
    moved: random ? countOf(x.sub(clean)) : tf.fill(epsilon.shape, AT_FIRST * pixelsOf(clean)),
    isCandidate: isLast(radius),
  };
}

/** After one more of `steps` steps. */
export function stepSparse(state: SparseAscent, context: Surroundings, steps: number, loss: Loss): SparseAscent {
  const { clean, epsilon, iteration, noise, valueAndGradient } = context;
  const { value, gradient } = valueAndGradient(state.x, loss);
  const found = column(value);
  const isBest = found.greater(state.bestLoss);
  const best: tf.Tensor4D = tf.where(isBest, state.x, state.best);
  const bestGradient: tf.Tensor4D = tf.where(isBest, gradient, state.bestGradient);
  const bestLoss: tf.Tensor4D = tf.where(isBest, found, state.bestLoss);

  const { radius, atCheckpoint } = phaseAt(iteration, steps);
  const moved: tf.Tensor4D = tf.where(atCheckpoint, countOf(best.sub(clean)), state.moved);
  const sparser = atCheckpoint.logicalAnd(moved.less(state.moved.mul(FALLEN)));
  const slowed: tf.Tensor4D = tf.where(atCheckpoint, state.pace.div(SLOWER).maximum(SLOWEST), state.pace);
  const pace: tf.Tensor4D = tf.where(sparser, 1, slowed);
  const from: tf.Tensor4D = tf.where(sparser, best, state.x);
  const direction = sparseDirection(tf.where(sparser, bestGradient, gradient), moved.div(SPARSER));
  const onwards: tf.Tensor4D = from.add(direction.mul(pace).mul(epsilon.mul(radius)));

  const { radius: next } = phaseAt(iteration.add(1), steps);
  const begins = next.less(radius);
  const { project } = ball('L1', { clean, epsilon: epsilon.mul(next), noise });
  const x = project(tf.where(begins, best, onwards));
  return {
    ...{ x, best, bestGradient },
    pace: tf.where(begins, 1, pace),
    moved: tf.where(begins, countOf(x.sub(clean)), moved),
    bestLoss: tf.where(begins, unknown(epsilon), bestLoss),
    isCandidate: isLast(next),
  };
}

/** The radius in ε of the point that a step starts from, and whether it is at a checkpoint of its phase: [B, 1, 1, 1] both. */
function phaseAt(iteration: tf.Tensor4D, steps: number) {
  const wide = Math.floor((3 * steps) / 10);
  const before = (step: number): tf.Tensor => iteration.less(step).toFloat();
  const radius = before(wide)
    .add(before(2 * wide))
    .add(1) as tf.Tensor4D;
  const place = iteration.sub(tf.scalar(3).sub(radius).mul(wide)) as tf.Tensor4D;
  const interval = tf.where(radius.greater(1), intervalOf(wide), intervalOf(steps - 2 * wide));
  const isWhole = place.div(interval).floor().mul(interval).equal(place);
  return { radius, atCheckpoint: place.greater(0).logicalAnd(isWhole) };
}

/** Steps from one checkpoint to the next in a phase of so many. */
const intervalOf = (steps: number): number => Math.max(1, Math.floor(steps / 25));

const isLast = (radius: tf.Tensor4D): tf.Tensor1D => radius.equal(1).reshape([-1]);

const unknown = ({ shape }: tf.Tensor4D): tf.Tensor4D => tf.fill(shape, Number.NEGATIVE_INFINITY);

const pixelsOf = ({ shape: [, height, width, channels] }: tf.Tensor4D): number => height * width * channels;

/** ‖x‖₀ of every image: [B, 1, 1, 1]. */
const countOf = (x: tf.Tensor4D): tf.Tensor4D => x.notEqual(0).toFloat().sum(PIXELS, true);

/** sign(g)/k on the k pixels of largest |g|, at least one: k, which is rounded up, is each image's own, [B, 1, 1, 1]. */
function sparseDirection(gradient: tf.Tensor4D, k: tf.Tensor4D): tf.Tensor4D {
  const pixels = pixelsOf(gradient);
  const { values } = tf.topk(gradient.abs().reshape([-1, pixels]), pixels);
  const last = k.ceil().clipByValue(1, pixels).sub(1).reshape([-1, 1]);
  const isLastMoved = tf.range(0, pixels).expandDims(0).equal(last).toFloat();
  return signsFrom(gradient, column(values.mul(isLastMoved).sum(1)));
}

/**
 * The weight c of a loss beside a distance, sought image by image: the smallest with which an attack still reaches its goal.
 *
 * Attacks that minimise ‖x - x₀‖ + c·f(x) (Carlini and Wagner 2017, section V-B; Chen et al. 2018, section 4.1) run afresh
 * with one c after another. c grows tenfold until the goal is reached for the first time; from then on it halves the interval
 * between the largest that failed and the smallest that did not.
 *
 * A run takes `steps` steps, and one more in which its last candidate is looked at and c is set for the next run. It ends
 * sooner where a tenth of its steps no longer lowers the loss. Both happen image by image.
 */
import { tf } from '../tf.ts';

/** What an attack carries on for every image, [B, 1, 1, 1] each. */
export interface TradeOff {
  readonly c: tf.Tensor4D;
  /** The largest c that failed, or 0. */
  readonly low: tf.Tensor4D;
  /** The smallest c that succeeded, or `NEVER`. */
  readonly high: tf.Tensor4D;
  /** 1 if this run has reached the goal, else 0. */
  readonly reached: tf.Tensor4D;
  /** The loss when it was last compared. */
  readonly compared: tf.Tensor4D;
  /** Runs that have ended. */
  readonly run: tf.Tensor4D;
  /** The number of the step within its run, from 0. */
  readonly step: tf.Tensor4D;
}

/** What is seen of the candidate that enters a step, [B, 1, 1, 1] each. */
export interface Sight {
  /** Whether it reaches the goal. */
  readonly reaches: tf.Tensor4D;
  /** What the attack minimises. */
  readonly loss: tf.Tensor4D;
}

/** How many runs there are, and steps in each. */
export interface Runs {
  readonly runs: number;
  readonly steps: number;
}

/** Above every c. */
const NEVER = 1e30;
const GROWTH = 10;

/** How often a run's loss is compared, and what share of it must be gone by then. */
const COMPARISONS = 10;
const PROGRESS = 1e-4;

/** The most steps that all runs can take: the last candidate of the last one needs no step to be looked at. */
export const stepsOfRuns = ({ runs, steps }: Runs): number => runs * (steps + 1) - 1;

/** Before the first run of that many images. */
export function firstTradeOff(images: number, c: number): TradeOff {
  const all = (value: number): tf.Tensor4D => tf.fill([images, 1, 1, 1], value);
  return { c: all(c), low: all(0), high: all(NEVER), reached: all(0), compared: all(0), run: all(0), step: all(0) };
}

/** The trade-off after a step, where it begins a new run, and where [B] there is none to begin. */
export function weigh(
  { c, low, high, reached, compared, run, step }: TradeOff,
  { reaches, loss }: Sight,
  { runs, steps }: Runs,
): { readonly next: TradeOff; readonly renews: tf.Tensor4D; readonly isFinished: tf.Tensor1D } {
  const compares = step.mod(Math.ceil(steps / COMPARISONS)).equal(0);
  const stalls = compares.logicalAnd(step.greater(0)).logicalAnd(loss.greater(compared.mul(1 - PROGRESS)));
  const renews = stalls.logicalOr(step.equal(steps)) as tf.Tensor4D;
  const hasReached = reached.maximum(reaches.toFloat()) as tf.Tensor4D;
  const ended = run.add(renews.toFloat()) as tf.Tensor4D;

  const succeeds = hasReached.greater(0);
  const failed = tf.where(succeeds, low, c);
  const succeeded = tf.where(succeeds, c, high);
  const between: tf.Tensor4D = failed.add(succeeded).mul(0.5);
  const renewed = (after: tf.Tensor4D, within: tf.Tensor4D): tf.Tensor4D => tf.where(renews, after, within);
  const zero = tf.zerosLike(c);
  return {
    renews,
    isFinished: ended.greaterEqual(runs).reshape([-1]),
    next: {
      c: renewed(tf.where(succeeded.less(NEVER), between, c.mul(GROWTH)), c),
      low: renewed(failed, low),
      high: renewed(succeeded, high),
      reached: renewed(zero, hasReached),
      compared: renewed(zero, tf.where(compares, loss, compared)),
      run: ended,
      step: renewed(zero, step.add(1)),
    },
  };
}

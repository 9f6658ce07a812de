/**
 * The losses that an adversary raises, one value per image: logits [B, K] in, [B] out. `classes` [B] (int32) is the true
 * class, or for the targeted forms the target too. Larger means closer to the adversary's goal.
 */
import { tf } from '../tf.ts';

/**
 * `f(x)` as a constant: no gradient flows through it, and `f` may use kernels that have none (`topk`, `argMax`), which
 * TensorFlow.js would otherwise refuse to differentiate even where the derivative is zero.
 */
const constant = (x: tf.Tensor2D, f: (x: tf.Tensor2D) => tf.Tensor2D): tf.Tensor2D =>
  tf.customGrad((t: tf.Tensor | tf.GradSaveFunc) => ({
    value: f(t as tf.Tensor2D),
    gradFunc: () => tf.zerosLike(x),
  }))(x) as tf.Tensor2D;

const oneHotOf = (classes: tf.Tensor1D, like: tf.Tensor2D): tf.Tensor2D =>
  tf.oneHot(classes, like.shape[1]).toFloat() as tf.Tensor2D;

/** The logit of one class per image: [B]. */
const pick = (logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D => logits.mul(oneHot).sum(1);

/** Far below any logit, yet finite: `max` over "all classes but one" for logits of either sign. */
const EXCLUDED = 1e9;

/**
 * The largest logit of any class but the given one: [B]. Of equal logits the first counts alone, as in a sort; the
 * gradient of `max` would go to each of them in full and no longer sum to that of one logit.
 */
function largestOther(logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D {
  const others = (z: tf.Tensor2D): tf.Tensor2D => z.sub(oneHot.mul(EXCLUDED));
  return pick(
    logits,
    constant(logits, (z) => oneHotOf(others(z).argMax(1), z)),
  );
}

/**
 * Cross-entropy -log softmax(z)_y per image, in a form whose gradient survives saturation.
 *
 * With d_j = z_j - z_y it is log(1 + Σ_{j≠y} exp d_j): the gradient towards z_y is minus the sum of the *other* classes'
 * probabilities. The textbook form computes p_y - 1, which rounds to zero in float32 from a margin of 17 on: exactly where a
 * network is sure of its class, attacks no longer lead away from it, and stand still if probabilities are clipped besides.
 */
export function crossEntropy(logits: tf.Tensor2D, classes: tf.Tensor1D): tf.Tensor1D {
  const oneHot = oneHotOf(classes, logits);
  const others = tf.scalar(1).sub(oneHot);
  const lead = logits.sub(pick(logits, oneHot).expandDims(1)) as tf.Tensor2D;
  // At least 0, the true class's own lead. Its gradient cancels in exact arithmetic and is left out in float32.
  const shift = constant(lead, (d) => d.max(1, true));
  const sum = lead.sub(shift).exp().mul(others).sum(1, true);
  return shift.add(shift.neg().expm1().add(sum).log1p()).squeeze([1]);
}

/** max_{j≠y} z_j - z_y: positive exactly when the image is misclassified (Carlini and Wagner 2017, f₆). */
export function margin(logits: tf.Tensor2D, classes: tf.Tensor1D): tf.Tensor1D {
  const oneHot = oneHotOf(classes, logits);
  return largestOther(logits, oneHot).sub(pick(logits, oneHot));
}

/** z_t - z_c, how far one class is ahead of another: [B]. */
export const lead = (logits: tf.Tensor2D, of: tf.Tensor1D, over: tf.Tensor1D): tf.Tensor1D =>
  pick(logits, oneHotOf(of, logits).sub(oneHotOf(over, logits)));

/** The `rank`-th largest logit (1 is the largest), differentiable: [B]. */
function ranked(logits: tf.Tensor2D, rank: number): tf.Tensor1D {
  const oneHot = constant(logits, (z) => {
    const { indices } = tf.topk(z, rank);
    return oneHotOf(indices.slice([0, rank - 1], [-1, 1]).squeeze([1]) as tf.Tensor1D, z);
  });
  return pick(logits, oneHot);
}

const TINY = 1e-12;

/**
 * Difference of logits ratio, -(z_y - max_{j≠y} z_j) / (z_(1) - z_(3)) (Croce and Hein 2020, equation 6): margin made
 * invariant to the scale of the logits.
 *
 * @throws Error if there are fewer than 3 classes
 */
export function dlr(logits: tf.Tensor2D, classes: tf.Tensor1D): tf.Tensor1D {
  requireClasses('DLR', logits, 3);
  const spread = ranked(logits, 1).sub(ranked(logits, 3));
  return margin(logits, classes).div(spread.add(TINY));
}

/**
 * Targeted difference of logits ratio, -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2) (Croce and Hein 2020, equation 7).
 *
 * @throws Error if there are fewer than 4 classes
 */
export function targetedDlr(logits: tf.Tensor2D, classes: tf.Tensor1D, targets: tf.Tensor1D): tf.Tensor1D {
  requireClasses('targeted DLR', logits, 4);
  const spread = ranked(logits, 1).sub(ranked(logits, 3).add(ranked(logits, 4)).mul(0.5));
  return lead(logits, targets, classes).div(spread.add(TINY));
}

function requireClasses(loss: string, logits: tf.Tensor2D, least: number): void {
  if (logits.shape[1] >= least) return;
  throw new Error(`the ${loss} loss needs ${least} classes or more; this classifier has ${logits.shape[1]}`);
}

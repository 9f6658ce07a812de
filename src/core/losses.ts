/**
 * The losses that an adversary raises and training lowers, one value per image: logits [B, K] in, [B] out. `classes` [B]
 * (int32) is the true class, or for the targeted forms the target too. Larger means closer to the adversary's goal.
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

/** The logits but those of one class. */
const without = (logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor2D => logits.sub(oneHot.mul(EXCLUDED));

/**
 * The class of the largest logit but the given one: one-hot [B, K]. Of equal logits the first counts alone, as in a sort; the
 * gradient of `max` would go to each of them in full and no longer sum to that of one logit.
 */
const rivalOf = (logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor2D =>
  constant(logits, (z) => oneHotOf(without(z, oneHot).argMax(1), z));

/** The largest logit of any class but the given one: [B]. */
const largestOther = (logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D => pick(logits, rivalOf(logits, oneHot));

/**
 * Cross-entropy -log softmax(z)_y per image, in a form whose gradient survives saturation.
 *
 * With d_j = z_j - z_y it is log(1 + Σ_{j≠y} exp d_j): the gradient towards z_y is minus the sum of the *other* classes'
 * probabilities. The textbook form computes p_y - 1, which rounds to zero in float32 from a margin of 17 on: exactly where a
 * network is sure of its class, attacks no longer lead away from it, and stand still if probabilities are clipped besides.
 */
export const crossEntropy = (logits: tf.Tensor2D, classes: tf.Tensor1D): tf.Tensor1D =>
  surprise(logits, oneHotOf(classes, logits));

function surprise(logits: tf.Tensor2D, oneHot: tf.Tensor2D): tf.Tensor1D {
  const others = tf.scalar(1).sub(oneHot);
  const lead = logits.sub(pick(logits, oneHot).expandDims(1)) as tf.Tensor2D;
  // At least 0, the true class's own lead. Its gradient cancels in exact arithmetic and is left out in float32.
  const shift = constant(lead, (d) => d.max(1, true));
  const sum = lead.sub(shift).exp().mul(others).sum(1, true);
  return shift.add(shift.neg().expm1().add(sum).log1p()).squeeze([1]);
}

/**
 * Cross-entropy with the smoothed label (1 - s)·y + s/K (Szegedy et al., "Rethinking the Inception Architecture for Computer
 * Vision", CVPR 2016, section 7): with L = crossEntropy it is L + s·(z_y - mean z).
 */
export function smoothedCrossEntropy(logits: tf.Tensor2D, classes: tf.Tensor1D, smoothing: number): tf.Tensor1D {
  const sharp = crossEntropy(logits, classes);
  if (smoothing === 0) return sharp;
  return sharp.add(pick(logits, oneHotOf(classes, logits)).sub(logits.mean(1)).mul(smoothing));
}

/**
 * The Kullback-Leibler divergence KL(softmax p ‖ softmax q) per image: logits p, q [B, K] to [B].
 *
 * Seen from p's likeliest class t, log softmax(p)_j is d_j(p) - L(p) with d_j(p) = p_j - p_t and L(p) the cross-entropy of t.
 * So it is L(q) - L(p) + Σ_{j≠t} softmax(p)_j · (d_j(p) - d_j(q)), in which no probability near 1 is subtracted from another:
 * as with `crossEntropy`, the gradient survives saturation.
 */
export function klDivergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor1D {
  const likeliest = constant(p, (z) => oneHotOf(z.argMax(1), z));
  const leads = (z: tf.Tensor2D): tf.Tensor2D => z.sub(pick(z, likeliest).expandDims(1));
  const own = surprise(p, likeliest);
  const others = tf.scalar(1).sub(likeliest);
  // At t both leads are 0; left out, its probability does not round away those of the others in the gradient either.
  const probabilities = leads(p).sub(own.expandDims(1)).exp().mul(others);
  const between = probabilities.mul(leads(p).sub(leads(q))).sum(1) as tf.Tensor1D;
  return surprise(q, likeliest).sub(own).add(between);
}

/**
 * -log(1 - max_{j≠y} softmax(z)_j) per image: what the boosted cross-entropy adds to the plain one (Wang et al., "Improving
 * Adversarial Robustness Requires Revisiting Misclassified Examples", ICLR 2020, equation 8). With k the largest wrong class it
 * is log(1 + exp(z_k - log Σ_{j≠k} exp z_j)), which never takes the logarithm of 0.
 */
export function wrongCertainty(logits: tf.Tensor2D, classes: tf.Tensor1D): tf.Tensor1D {
  const rival = rivalOf(logits, oneHotOf(classes, logits));
  return pick(logits, rival).sub(without(logits, rival).logSumExp(1)).softplus() as tf.Tensor1D;
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

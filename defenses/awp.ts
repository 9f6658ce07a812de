/**
 * Adversarial weight perturbation: min_w max_{v ∈ V} E[max_{‖δ‖ ≤ ε} J(w + v, x + δ, y)]. The images are PGD's, and for each batch
 * the weights too are moved to where its loss is higher, by γ of every layer's own size:
 *
 *     v = γ · ‖w‖ · g/‖g‖ with g = ∇_w J(w, x + δ, y), layer by layer,   w ← w - η ∇J(w + v, x + δ, y).
 *
 * A loss that stays low around the weights is one that robust overfitting does not find.
 *
 * Wu, Xia, Wang, "Adversarial Weight Perturbation Helps Robust Generalization", NeurIPS 2020, equations 7 to 12, one ascent step,
 * γ = 0.01. As in their program biases and batch norm's scales stay, and g is taken in training mode; running statistics move in
 * the second pass alone. Weight decay falls on w, where their program has w + v, a difference of γ · λ · η.
 */
import { defineDefense } from '../src/core/defense.ts';
import { innerAttack, requestOf } from '../src/core/inner-attack.ts';
import { p } from '../src/core/params.ts';
import type { tf } from '../src/tf.ts';

/** The length of all steps together, in radii: ten of 2/255 at 8/255, as the authors take them. */
const WALK = 2.5;

/** Stands in for a zero that is about to divide a zero. */
const TINY = 1e-20;

const length = (weight: tf.Tensor): tf.Tensor => weight.square().sum().sqrt();

export default defineDefense({
  name: 'awp',
  title: 'PGD training with adversarial weight perturbation',
  paper: 'https://arxiv.org/abs/2004.05884',
  adversarial: true,
  params: {
    ...innerAttack({ steps: 10, walk: WALK }),
    gamma: p.number(0.01, "how far weights are moved, as a share γ of each layer's own size", { min: 0 }),
  },
  trainingLoss: ({ epsilon, perturb, crossEntropy, params }) => {
    const adversarial = perturb(requestOf(params, WALK * epsilon));
    return (model) => {
      const logits = model(adversarial);
      return { loss: crossEntropy(logits).mean(), logits };
    };
  },
  perturbWeights: (weights, { gamma }) =>
    Object.fromEntries(
      weights
        .filter(({ weight }) => weight.rank > 1)
        .map(({ name, weight, gradient }) => [
          name,
          gradient.mul(length(weight).mul(gamma).div(length(gradient).maximum(TINY))),
        ]),
    ),
});

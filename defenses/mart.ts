/**
 * MART, misclassification-aware adversarial training: min_θ E[BCE(f(x'), y) + λ · KL(f(x) ‖ f(x')) · (1 - f_y(x))], where
 * BCE(p, y) = -log p_y - log(1 - max_{k≠y} p_k) is the boosted cross-entropy: an image that is classified wrongly to begin with
 * is the more to give the same answer when attacked.
 *
 * Wang, Zou, Yi, Bailey, Ma, Gu, "Improving Adversarial Robustness Requires Revisiting Misclassified Examples", ICLR 2020,
 * equations 8 and 11, λ = 5. The inner attack raises the cross-entropy, in inference mode, from x + 0.001·N(0, 1) as in their
 * program, whose guard against log 0 (1.0001 in the place of 1) the form of the logarithm here makes needless.
 */
import { defineDefense } from '../src/core/defense.ts';
import { innerAttack, requestOf } from '../src/core/inner-attack.ts';
import { klDivergence, crossEntropy as surprise, wrongCertainty } from '../src/core/losses.ts';
import { p } from '../src/core/params.ts';

/** The length of all steps together, in radii: ten of 2/255 at 8/255, as the authors take them. */
const WALK = 2.5;

export default defineDefense({
  name: 'mart',
  title: 'MART, misclassification-aware adversarial training',
  paper: 'https://openreview.net/forum?id=rklOg6EFwS',
  adversarial: true,
  params: {
    ...innerAttack({ steps: 10, walk: WALK }),
    lambda: p.number(5, 'weight λ of the divergence', { min: 0 }),
  },
  trainingLoss: ({ x, y, epsilon, noise, perturb, crossEntropy, params }) => {
    const adversarial = perturb({
      ...requestOf(params, WALK * epsilon),
      start: x.add(noise(x.shape.slice(1), 'normal').mul(0.001)),
    });
    return (model) => {
      const clean = model(x);
      const attacked = model(adversarial);
      const boosted = crossEntropy(attacked).add(wrongCertainty(attacked, y));
      // 1 - f_y(x), without subtracting a probability near 1 from 1.
      const doubt = surprise(clean, y).neg().expm1().neg();
      const robust = klDivergence(clean, attacked).mul(doubt);
      return { loss: boosted.add(robust.mul(params.lambda)).mean(), logits: attacked };
    };
  },
});

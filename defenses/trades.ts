/**
 * TRADES: min_θ E[J(θ, x, y) + β · max_{‖x' - x‖ ≤ ε} KL(f(x) ‖ f(x'))]: accuracy is bought with the labels of clean images,
 * robustness by giving x' the answer of x, right or wrong, and β is the price between them.
 *
 * Zhang, Yu, Jiao, Xing, El Ghaoui, Jordan, "Theoretically Principled Trade-off between Robustness and Accuracy", ICML 2019,
 * equation 5 and algorithm 1: the inner attack raises the divergence itself, in inference mode as in their program, from
 * x + 0.001·N(0, 1), where it is not yet flat. β is 1/λ there: 6 in their program for CIFAR-10, 1 in that for MNIST. Both run the
 * clean images through the network twice, so that batch norm sees them twice as often; here they come once.
 */
import { defineDefense } from '../src/core/defense.ts';
import { innerAttack, requestOf } from '../src/core/inner-attack.ts';
import { klDivergence } from '../src/core/losses.ts';
import { p } from '../src/core/params.ts';

/**
 * The length of all steps together, in radii: ten of 2/255 at 8/255, as Wu, Xia and Wang (NeurIPS 2020) take them. The authors'
 * programs take ten of 0.007 at 0.031 for CIFAR-10, and forty of 0.01 at 0.3 for MNIST: 2.3 and 1.3 radii.
 */
const WALK = 2.5;

export default defineDefense({
  name: 'trades',
  title: 'TRADES',
  paper: 'https://arxiv.org/abs/1901.08573',
  adversarial: true,
  params: {
    ...innerAttack({ steps: 10, walk: WALK }),
    beta: p.optionalNumber('weight β of the divergence; auto: 1 for grey images, 6 in colour', { min: 0 }),
  },
  trainingLoss: ({ x, epsilon, noise, logits, perturb, crossEntropy, params }) => {
    const clean = logits(x);
    const adversarial = perturb({
      ...requestOf(params, WALK * epsilon),
      objective: (attacked) => klDivergence(clean, attacked),
      start: x.add(noise(x.shape.slice(1), 'normal').mul(0.001)),
    });
    const beta = params.beta ?? (x.shape[3] === 1 ? 1 : 6);
    return (model) => {
      const answers = model(x);
      const robust = klDivergence(answers, model(adversarial)).mean();
      return { loss: crossEntropy(answers).mean().add(robust.mul(beta)), logits: answers };
    };
  },
});

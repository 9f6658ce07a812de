/**
 * Adversarial training: min_θ E[max_{‖δ‖ ≤ ε} J(θ, x + δ, y)], the inner maximum by projected gradient descent.
 *
 * Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018,
 * equation 2.1 and section 4. The paper takes 40 steps on MNIST; few large ones train as robust a network in an eighth of
 * the time.
 */
import { defineDefense } from '../src/core/defense.ts';
import { innerAttack, requestOf } from '../src/core/inner-attack.ts';

/** The length of all steps together, in radii. */
const WALK = 2;

export default defineDefense({
  name: 'pgd-training',
  training: 'adversarial',
  title: 'PGD adversarial training',
  paper: 'https://arxiv.org/abs/1706.06083',
  adversarial: true,
  params: innerAttack({ steps: 5, walk: WALK }),
  trainingLoss: ({ epsilon, perturb, crossEntropy, params }) => {
    const adversarial = perturb(requestOf(params, WALK * epsilon));
    return (model) => {
      const logits = model(adversarial);
      return { loss: crossEntropy(logits).mean(), logits };
    };
  },
});

/**
 * Noise-FGSM training: min_θ E[J(θ, x + δ, y)] with δ = η + ε · sign(∇ₓ J(θ, x + η, y)), η uniform in ±k·ε. The step begins at
 * a noisy image and is not taken back to the ball of the clean one, only to the box: noise that reaches beyond the ball, and
 * stays, keeps one-step training from catastrophic overfitting.
 *
 * De Jorge, Bibi, Volpi, Sanyal, Torr, Rogez, Dokania, "Make Some Noise: Reliable and Efficient Single-Step Adversarial Training",
 * NeurIPS 2022, section 4, equation 4, with k = 2 and, as in their program, the network attacked in training mode; other than
 * there, that pass neither moves the running statistics nor drops anything. In other norms than the paper's Linf, η is uniform in
 * the ball of radius k·ε and the step is the steepest.
 */
import { ball } from '../src/core/ball.ts';
import { defineDefense } from '../src/core/defense.ts';
import { p } from '../src/core/params.ts';
import { tf } from '../src/tf.ts';

export default defineDefense({
  name: 'n-fgsm',
  title: 'Noise-FGSM training',
  paper: 'https://arxiv.org/abs/2202.01181',
  adversarial: true,
  params: {
    attack: p.text('fgsm', 'inner attack, whose ball is around the noisy image'),
    noise: p.number(2, 'largest noise k, in radii', { min: 0 }),
  },
  trainingLoss: ({ x, norm, epsilon, noise, perturb, crossEntropy, params }) => {
    const reach: tf.Tensor4D = tf.fill([x.shape[0], 1, 1, 1], params.noise * epsilon);
    const around = ball(norm, { clean: x, epsilon: reach, noise }).randomPoint();
    const adversarial = perturb({ attack: params.attack, params: {}, around, mode: 'training' });
    return (model) => {
      const logits = model(adversarial);
      return { loss: crossEntropy(logits).mean(), logits };
    };
  },
});

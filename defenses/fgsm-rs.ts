/**
 * Fast adversarial training: min_θ E[J(θ, x + δ, y)] with δ = Π(η + α · sign(∇ₓ J(θ, x + η, y))), η uniform in the ball,
 * α = 1.25·ε. One step from a random start makes images nearly as strong as many do, until the network learns to break that one
 * step alone and loses all robustness to any other ("catastrophic overfitting").
 *
 * Wong, Rice, Kolter, "Fast Is Better than Free: Revisiting Adversarial Training", ICLR 2020, algorithm 3 and section 4. As in
 * their program the network is attacked in training mode, with the batch's own statistics in batch norm; other than there, that
 * pass neither moves the running ones nor drops anything.
 */
import { defineDefense } from '../src/core/defense.ts';
import { p } from '../src/core/params.ts';

export default defineDefense({
  name: 'fgsm-rs',
  title: 'FGSM training with a random start',
  paper: 'https://arxiv.org/abs/2001.03994',
  adversarial: true,
  params: {
    step: p.optionalNumber('step size α in pixel units; auto: 1.25·ε', { min: 0 }),
    mode: p.choice('training', ['training', 'inference'], 'how the network computes while it is attacked'),
  },
  trainingLoss: ({ epsilon, perturb, crossEntropy, params: { step, mode } }) => {
    const adversarial = perturb({
      attack: 'pgd',
      params: { steps: 1, step: step ?? 1.25 * epsilon, random: true },
      mode,
    });
    return (model) => {
      const logits = model(adversarial);
      return { loss: crossEntropy(logits).mean(), logits };
    };
  },
});

/**
 * Training for randomized smoothing: the mean cross-entropy of x + σ·N(0, I), so that the network knows noisy images. What
 * it then is worth is certified (`gibbon certify`): the class that most noisy copies of an image are taken for cannot be
 * changed by any perturbation up to an L2 radius that follows from their share.
 *
 * Cohen, Rosenfeld, Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019, section 3.3. As in the
 * paper the noisy pixels are not clipped to [0,1]: the certificate is about Gaussian noise, and clipped noise is none.
 */
import { defineDefense } from '../src/core/defense.ts';
import { p } from '../src/core/params.ts';
import type { tf } from '../src/tf.ts';

export default defineDefense({
  name: 'randomized-smoothing',
  title: 'Gaussian-noise training for randomized smoothing',
  paper: 'https://arxiv.org/abs/1902.02918',
  adversarial: false,
  params: {
    sigma: p.number(0.25, 'standard deviation of the noise in pixel units', { min: 0 }),
  },
  trainingLoss: ({ x, noise, crossEntropy, params }) => {
    const noisy: tf.Tensor4D = x.add(noise(x.shape.slice(1), 'normal').mul(params.sigma));
    return (model) => {
      const logits = model(noisy);
      return { loss: crossEntropy(logits).mean(), logits };
    };
  },
});

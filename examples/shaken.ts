/**
 * Training on images that are shaken at random: min E[CE(f(x + u), y)], u uniform in a part of the ball. No defense against an
 * adversary, but a short example of one's own way of training:
 *
 *     npm run train -- --arch vgg16 --training examples/shaken.ts --shaken.share 0.7
 *
 * Noise as augmentation: Rusak, Schott, Zimmermann, Bitterwolf, Bringmann, Bethge, Brendel, "A simple way to make neural
 * networks robust against diverse image corruptions", ECCV 2020, section 3.
 */
import { defineDefense, p, type tf } from 'gibbon';

export default defineDefense({
  name: 'shaken',
  title: 'Training on shaken images',
  paper: 'https://arxiv.org/abs/2001.06057',
  adversarial: false,
  params: { share: p.number(0.5, 'how far, as a share of the radius', { min: 0, max: 1 }) },
  trainingLoss:
    ({ x, noise, params, epsilon, crossEntropy }) =>
    (model) => {
      const u = noise(x.shape.slice(1), 'uniform')
        .mul(2)
        .sub(1)
        .mul(epsilon * params.share);
      const shaken = x.add(u).clipByValue(0, 1) as tf.Tensor4D;
      const logits = model(shaken);
      return { loss: crossEntropy(logits).mean(), logits };
    },
});

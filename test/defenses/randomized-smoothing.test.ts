import { beforeAll, describe, expect, it } from 'vitest';
import randomizedSmoothing from '../../defenses/randomized-smoothing.ts';
import type { Noise } from '../../src/core/ball.ts';
import { crossEntropy } from '../../src/core/losses.ts';
import { resolveParams } from '../../src/core/params.ts';
import { fillNoise } from '../../src/core/rng.ts';
import { tf } from '../../src/tf.ts';
import { smallClassifier } from '../evaluate/fixtures.ts';

const IMAGES = 3;
const classifier = smallClassifier();
beforeAll(() => tf.setBackend('cpu'));

/** Draws of N(0, I), and what was asked for. */
function noise(asked: unknown[]): Noise {
  return (shape, distribution) => {
    asked.push([shape, distribution]);
    const values = new Float32Array(IMAGES * shape.reduce((a, b) => a * b, 1));
    fillNoise(values, { seed: 3, image: 0, restart: 0, step: 0, draw: asked.length }, distribution);
    return tf.tensor(values, [IMAGES, ...shape]);
  };
}

/** What the defense shows the network, for white images. */
function seen(given: { readonly sigma?: number }) {
  const asked: unknown[] = [];
  const images: tf.Tensor4D[] = [];
  const x: tf.Tensor4D = tf.ones([IMAGES, ...classifier.input]);
  const y = tf.tensor1d([0, 1, 2], 'int32');
  const lossOf = randomizedSmoothing.trainingLoss?.({
    ...{ x, y, norm: 'L2', epsilon: 1, noise: noise(asked), memory: {} },
    crossEntropy: (logits) => crossEntropy(logits, y),
    logits: (images) => classifier.logits(images),
    perturb: () => {
      throw new Error('nothing is attacked');
    },
    params: resolveParams('randomized-smoothing', randomizedSmoothing.params, given),
  });
  const found = lossOf?.((shown) => {
    images.push(shown);
    return classifier.logits(shown);
  });
  return { x, y, asked, found, shown: images[0] as tf.Tensor4D };
}

describe('training for randomized smoothing', () => {
  it('shows the network every image with Gaussian noise of its own, a quarter strong by default, unclipped', () =>
    tf.tidy(() => {
      const { x, asked, shown } = seen({});
      expect(asked).toEqual([[classifier.input, 'normal']]);
      const expected = noise([])(classifier.input, 'normal').mul(0.25);
      expect([...shown.sub(x).sub(expected).abs().max().dataSync()][0]).toBeLessThan(1e-6);
      expect(shown.max().dataSync()[0]).toBeGreaterThan(1);
    }));

  it('lowers the mean cross-entropy of what it shows, and counts accuracy on that', () =>
    tf.tidy(() => {
      const { y, found, shown } = seen({ sigma: 0.5 });
      const logits = classifier.logits(shown);
      expect(found?.loss.dataSync()[0]).toBeCloseTo(crossEntropy(logits, y).mean().dataSync()[0] as number, 6);
      expect(found?.logits.dataSync()).toEqual(logits.dataSync());
    }));

  it('without noise is standard training', () =>
    tf.tidy(() => {
      const { x, shown } = seen({ sigma: 0 });
      expect(shown.dataSync()).toEqual(x.dataSync());
    }));

  it('refuses noise of less than none', () => {
    expect(() => seen({ sigma: -1 })).toThrow(/--randomized-smoothing.sigma is -1; it must be a number, at least 0/);
  });
});

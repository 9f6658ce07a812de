import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import uap from '../../attacks/uap.ts';
import pgdTraining from '../../defenses/pgd-training.ts';
import standard from '../../defenses/standard.ts';
import type { Attack } from '../../src/core/attack.ts';
import { type Noise, sizeOf } from '../../src/core/ball.ts';
import type { TrainingContext } from '../../src/core/defense.ts';
import { type NoiseRequest, noiseFrom } from '../../src/core/draws.ts';
import { crossEntropy } from '../../src/core/losses.ts';
import { resolveParams } from '../../src/core/params.ts';
import { type Network, trainingLogits } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { epochBatches } from '../../src/train/batches.ts';
import { drawNoise } from '../../src/train/noise.ts';
import { perturber } from '../../src/train/perturb.ts';
import { tinyDataset, tinyNetwork } from '../train/tiny.ts';

const IMAGES = 6;
const attacks = new Map<string, Attack>([
  ['fgsm', fgsm],
  ['pgd', pgd],
]);
let network: Network;
let x: tf.Tensor4D;
let y: tf.Tensor1D;
let ids: readonly string[];

beforeAll(async () => {
  await tf.setBackend('cpu');
  network = tinyNetwork();
  const options = { heldOut: new Set<string>(), size: IMAGES, seed: 1, epoch: 0, from: 0 };
  for await (const batch of epochBatches(tinyDataset(IMAGES), options)) {
    x = tf.tensor4d(batch.x, [IMAGES, 6, 6, 1]);
    y = tf.tensor1d(batch.y, 'int32');
    ids = batch.ids;
  }
});
afterAll(() => {
  network.dispose();
  tf.dispose([x, y]);
});

/** What PGD's random start draws for one image. */
const DRAWS: Readonly<Record<'Linf' | 'L2', readonly NoiseRequest[]>> = {
  Linf: [{ shape: [6, 6, 1], distribution: 'uniform' }],
  L2: [
    { shape: [6, 6, 1], distribution: 'normal' },
    { shape: [1, 1, 1], distribution: 'uniform' },
  ],
};

function noise(norm: keyof typeof DRAWS = 'Linf', seed = 0): Noise {
  const values = drawNoise(DRAWS[norm], { seed, pass: 0, stream: 0, ids });
  const inputs = DRAWS[norm].map(({ shape }, i) => {
    const name = `draw${i}`;
    return [name, tf.tensor(values[name] as Float32Array, [IMAGES, ...shape])] as const;
  });
  return noiseFrom('a test', DRAWS[norm], Object.fromEntries(inputs));
}

function perturbed(norm: keyof typeof DRAWS, epsilon: number, seed: number, params: Readonly<Record<string, unknown>>) {
  const perturb = perturber({ attacks, classifier: network.classifier, norm, epsilon });
  return perturb({ attack: 'pgd', params }, { x, y, noise: noise(norm, seed) });
}

describe('perturbed training images', () => {
  it('stay in the ball and in the box, and are finite', () => {
    const law = fc.property(
      fc.constantFrom('Linf', 'L2'),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.nat(1000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (norm, epsilon, seed, step) =>
        tf.tidy(() => {
          const adversarial = perturbed(norm, epsilon, seed, { steps: 2, step });
          const sizes = sizeOf(norm, adversarial.sub(x)).dataSync();
          const values = adversarial.dataSync();
          expect(Math.max(...sizes)).toBeLessThanOrEqual(epsilon + 1e-6);
          expect(values.every((v) => v >= 0 && v <= 1)).toBe(true);
        }),
    );
    fc.assert(law, { numRuns: 15 });
  });

  it('fool the network in inference mode more than the clean ones do', () =>
    tf.tidy(() => {
      const lossOf = (images: tf.Tensor4D) => crossEntropy(network.classifier.logits(images), y).mean().dataSync()[0];
      expect(lossOf(perturbed('Linf', 0.2, 1, { steps: 5 }))).toBeGreaterThan((lossOf(x) ?? 0) + 1e-4);
    }));
});

/** What a defense sees of a training in which `perturb` gives the given images. */
function context<P extends Readonly<Record<string, unknown>>>(
  params: P,
  perturb: TrainingContext['perturb'],
): Omit<TrainingContext, 'params'> & { readonly params: P } {
  const cross = (logits: tf.Tensor2D) => crossEntropy(logits, y);
  return {
    x,
    y,
    norm: 'Linf',
    epsilon: 0.25,
    noise: noise(),
    memory: {},
    crossEntropy: cross,
    logits: model,
    perturb,
    params,
  };
}

const model = (images: tf.Tensor4D) => network.classifier.logits(images);

describe('standard training', () => {
  it('lowers the mean cross-entropy of the clean images', () =>
    tf.tidy(() => {
      const refuse = () => {
        throw new Error('standard training perturbs nothing');
      };
      const found = standard.trainingLoss?.(context({}, refuse))(model);
      expect(found?.loss.dataSync()[0]).toBeCloseTo(crossEntropy(model(x), y).mean().dataSync()[0] as number, 6);
      expect(found?.loss.shape).toEqual([]);
    }));
});

describe('PGD training', () => {
  const defaults = resolveParams('pgd-training', pgdTraining.params);

  it('asks for PGD-5 with a step of 2ε/5 unless told otherwise', () => {
    const asked: unknown[] = [];
    const perturb: TrainingContext['perturb'] = (request) => {
      asked.push(request);
      return x;
    };
    pgdTraining.trainingLoss?.(context(defaults, perturb));
    pgdTraining.trainingLoss?.(context({ ...defaults, steps: 3, step: 0.05 }, perturb));
    expect(asked).toEqual([
      { attack: 'pgd', params: { steps: 5 }, usual: { step: 0.1 } },
      { attack: 'pgd', params: { steps: 3, step: 0.05 } },
    ]);
  });

  it('treats the perturbed images as constants: no gradient flows through the attack', () =>
    tf.tidy(() => {
      const weights = network.model.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const perturb = perturber({ attacks, classifier: network.classifier, norm: 'Linf', epsilon: 0.25 });
      const request = { attack: 'pgd', params: { steps: 2, step: 0.05 } };
      const live = pgdTraining.trainingLoss?.(
        context({ ...defaults, steps: 2, step: 0.05 }, (asked) => perturb(asked, { x, y, noise: noise() })),
      );
      // The same images, through plain numbers: nothing can flow through those.
      const images = perturb(request, { x, y, noise: noise() });
      const constant = tf.tensor4d(images.dataSync() as Float32Array, images.shape);
      const dead = () => crossEntropy(model(constant), y).mean() as tf.Scalar;
      const found = tf.variableGrads(() => live?.(model).loss ?? tf.scalar(0), weights).grads;
      const expected = tf.variableGrads(dead, weights).grads;
      for (const { name } of weights) {
        expect(found[name]?.dataSync()).toEqual(expected[name]?.dataSync());
      }
    }));

  it('names attacks that have the parameters it sets, where the inner one has not', () => {
    const perturb = perturber({ attacks, classifier: network.classifier, norm: 'Linf', epsilon: 0.25 });
    const request = { attack: 'fgsm', params: { steps: 2, step: 0.05 } };
    expect(() => tf.tidy(() => perturb(request, { x, y, noise: noise() }))).toThrow(
      /^fgsm cannot be the inner attack of this training, which sets steps and step: choose .* such as pgd$/,
    );
  });

  it('refuses an inner attack that is fitted to a finished network', () => {
    const fitted = new Map([['uap', uap as Attack]]);
    const perturb = perturber({ attacks: fitted, classifier: network.classifier, norm: 'Linf', epsilon: 0.25 });
    expect(() => tf.tidy(() => perturb({ attack: 'uap', params: {} }, { x, y, noise: noise() }))).toThrow(
      /^uap is fitted to a finished network: choose an attack that is not for the inner attack$/,
    );
  });

  it('trains on the perturbed images, in training mode', () =>
    tf.tidy(() => {
      const adversarial = x.mul(0.5) as tf.Tensor4D;
      const seen: tf.Tensor4D[] = [];
      pgdTraining.trainingLoss?.(context(defaults, () => adversarial))((images) => {
        seen.push(images);
        return trainingLogits(network, images, () => tf.ones([IMAGES, 6]));
      });
      expect(seen).toEqual([adversarial]);
    }));
});

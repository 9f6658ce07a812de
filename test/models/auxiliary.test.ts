import { describe, expect, it } from 'vitest';
import standard from '../../defenses/standard.ts';
import { crossEntropy } from '../../src/core/losses.ts';
import { buildNetwork, specOf, stillOutputs, trainingOutputs } from '../../src/models/network.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { slotsOf } from '../../src/train/sgd.ts';
import { weightsByName } from '../../src/train/snapshot.ts';
import { trainingStep } from '../../src/train/step.ts';
import { oracleImages } from './oracle-weights.ts';

/** Thin, and as small as its form takes. */
const FORMS = [
  ['imagenet', 64],
  ['paper', 193],
] as const;

describe.each(FORMS)('the auxiliary classifiers of GoogLeNet in its %s form', (variant, side) => {
  const input = [side, side, 3] as const;
  const make = () => buildNetwork({ ...specOf('googlenet', variant, input, 5), width: 1 / 32 }, 0);
  const images = () => tf.tensor4d(oracleImages(2, input), [2, ...input]);
  const noise = (shape: readonly number[]) => tf.ones([2, ...shape]);

  it('are there while training, and neither in the classifier nor among its weights', async () => {
    await tf.setBackend('cpu');
    const network = make();
    const { logits, auxiliary } = trainingOutputs(network, images(), noise);
    expect([logits.shape, ...auxiliary.map(({ shape }) => shape)]).toEqual([
      [2, 5],
      [2, 5],
      [2, 5],
    ]);
    const names = weightsOf(network.model).map(({ name }) => name);
    expect(names.filter((name) => /^(aux|loss[12])/.test(name))).toEqual([]);
    expect(network.trained.weights.length).toBeGreaterThan(network.model.weights.length);
    network.dispose();
  });

  it('add three tenths of their loss each, and learn', async () => {
    await tf.setBackend('cpu');
    const network = make();
    const x = images();
    const y = tf.tensor1d([3, 1], 'int32');
    const { logits, auxiliary } = trainingOutputs(network, x, noise);
    const mean = (of: tf.Tensor2D): number => crossEntropy(of, y).mean().dataSync()[0] as number;
    const expected = mean(logits) + 0.3 * auxiliary.reduce((sum, side) => sum + mean(side), 0);
    const slots = slotsOf(network.trained);
    const own = slots.filter(({ name }) => /(aux|loss)[12]/.test(name));
    const before = own.map(({ weight }) => weight.clone());
    const parts = {
      augment: (batch: tf.Tensor4D) => batch,
      defense: standard,
      params: {},
      norm: 'Linf',
      epsilon: 0,
      slots,
      memory: {},
      weights: weightsByName(network.trained),
      average: undefined,
      momentum: 0.9,
      weightDecay: 0,
      labelSmoothing: 0,
      clip: null,
      logits: (batch: tf.Tensor4D) => network.classifier.logits(batch),
      still: (batch: tf.Tensor4D) => stillOutputs(network, batch),
    } as const;
    const { loss } = trainingStep(
      { ...parts, perturb: () => x, model: (batch) => trainingOutputs(network, batch, noise) },
      { x, y, noise },
      { rate: tf.scalar(0.1), share: tf.scalar(0) },
    );
    expect(loss.dataSync()[0]).toBeCloseTo(expected, 2);
    expect(own.length).toBeGreaterThan(6);
    const moved = own.filter(({ weight }, i) => (before[i] as tf.Tensor).sub(weight).abs().max().dataSync()[0] !== 0);
    expect(moved.length).toBeGreaterThan(own.length / 2);
    network.dispose();
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../src/core/attack.ts';
import { attackContext, type ContextSpec } from '../../src/core/attack-context.ts';
import * as losses from '../../src/core/losses.ts';
import { tf } from '../../src/tf.ts';
import { radii, randomImages, randomTensor, type Shape4D, seededNoise } from './batches.ts';

const SHAPE: Shape4D = [3, 2, 2, 1];
const LABELS = [0, 2, 4];
const TARGETS = [1, 1, 3];

const context = (logits: ContextSpec['logits'], targeted: boolean, access: Access = 'gradient', aimsItself = false) =>
  attackContext({
    aimsItself,
    access,
    logits,
    norm: 'Linf',
    targeted,
    params: {},
    noise: seededNoise(SHAPE[0], 0),
    clean: randomImages(SHAPE, 1),
    label: tf.tensor1d(LABELS, 'int32'),
    target: tf.tensor1d(targeted || aimsItself ? TARGETS : LABELS, 'int32'),
    epsilon: radii(SHAPE[0], 0.1),
    iteration: radii(SHAPE[0], 0),
  });

/** Untargeted, but aimed at classes that the attack chooses. */
const aimed = (logits: ContextSpec['logits']) => context(logits, false, 'gradient', true);

/** Bends, so that gradients differ from place to place. */
const bent: ContextSpec['logits'] = (x) =>
  x
    .reshape([x.shape[0], 4])
    .matMul(randomTensor([1, 4, 5, 1], 7, 'normal').reshape([4, 5]))
    .square() as tf.Tensor2D;

const list = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('what an attack sees', () => {
  it('tells whether the goal is reached: any wrong class, or the target, and not one that it chose itself', () => {
    const logits = () =>
      tf.tensor2d([
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 1, 0],
      ]) as tf.Tensor2D;
    const reached = (of: ReturnType<typeof context>) => list(of.reached(of.clean));
    const wrong = LABELS.map((label, i) => Number(label !== [0, 1, 3][i]));
    expect(reached(context(logits, false))).toEqual(wrong);
    expect(reached(context(logits, true))).toEqual(TARGETS.map((target, i) => Number(target === [0, 1, 3][i])));
    expect(reached(aimed(logits))).toEqual(wrong);
  });

  it('leads towards a class of its own choice over the true one alone, and towards a target over all', () => {
    const values = [
      [5, 2, 3, 4, 0],
      [5, 2, 3, 4, 0],
      [5, 2, 3, 4, 0],
    ];
    const logits = tf.tensor2d(values);
    const row = values[0] as number[];
    const of = (index: number): number => row[index] as number;
    const overTruth = TARGETS.map((target, i) => of(target) - of(LABELS[i] as number));
    expect(list(aimed(bent).lead(logits))).toEqual(overTruth);
    const best = (but: number): number => Math.max(...row.filter((_, k) => k !== but));
    expect(list(context(bent, true).lead(logits))).toEqual(TARGETS.map((target) => of(target) - best(target)));
    expect(list(context(bent, false).lead(logits))).toEqual(LABELS.map((label) => best(label) - of(label)));
  });

  it('are losses that grow for the adversary, away from the label', () => {
    const logits = randomTensor([3, 5, 1, 1], 2, 'normal').reshape([3, 5]) as tf.Tensor2D;
    const { crossEntropy, margin, dlr, label } = context(bent, false);
    expect(list(crossEntropy(logits))).toEqual(list(losses.crossEntropy(logits, label)));
    expect(list(margin(logits))).toEqual(list(losses.margin(logits, label)));
    expect(list(dlr(logits))).toEqual(list(losses.dlr(logits, label)));
  });

  it('are losses that grow towards the target', () => {
    const logits = randomTensor([3, 5, 1, 1], 2, 'normal').reshape([3, 5]) as tf.Tensor2D;
    const { crossEntropy, margin, dlr, label, target } = context(bent, true);
    expect(list(crossEntropy(logits))).toEqual(list(losses.crossEntropy(logits, target).neg()));
    expect(list(margin(logits))).toEqual(list(losses.margin(logits, target).neg()));
    expect(list(dlr(logits))).toEqual(list(losses.targetedDlr(logits, label, target)));
    const closer = logits.add(tf.oneHot(target, 5).toFloat()) as tf.Tensor2D;
    for (const loss of [crossEntropy, margin]) {
      const gains = list(loss(closer).sub(loss(logits)));
      expect(gains.every((gain) => gain > 0)).toBe(true);
    }
  });

  it.each([false, true])(
    'are losses of several queries an image, stacked image by image (targeted: %s)',
    (targeted) => {
      const { crossEntropy, margin, dlr } = context(bent, targeted);
      const queries = randomTensor([3, 2, 5, 1], 3, 'normal').reshape([3, 2, 5]);
      for (const loss of [crossEntropy, margin, dlr]) {
        const alone = [0, 1].map((query) => loss(queries.slice([0, query, 0], [3, 1, 5]).reshape([3, 5])));
        expect(list(loss(queries.reshape([6, 5])))).toEqual(list(tf.stack(alone, 1)));
      }
    },
  );

  it.each([false, true])('are value, gradient and logits of one place (targeted: %s)', (targeted) => {
    const given = context(bent, targeted);
    const x = randomImages(SHAPE, 5);
    for (const loss of [undefined, given.margin, given.dlr]) {
      const { value, gradient, logits } = given.valueAndGradient(x, loss);
      const meant = loss ?? given.crossEntropy;
      expect(list(logits)).toEqual(list(bent(x)));
      expect(list(value)).toEqual(list(meant(bent(x))));
      expect(list(gradient)).toEqual(list(tf.grad((z) => meant(bent(z as tf.Tensor4D)).sum())(x)));
      expect(list(given.gradient(x, loss))).toEqual(list(gradient));
    }
  });

  it('leaves nothing in memory but what it returns', () => {
    tf.tidy(() => {
      const given = context(bent, false);
      const x = randomImages(SHAPE, 5);
      const before = tf.memory().numTensors;
      const kept = tf.tidy(() => ({ ...given.valueAndGradient(x) }));
      expect(tf.memory().numTensors - before).toBe(3);
      tf.dispose(kept);
      tf.dispose(tf.tidy(() => given.gradient(x)));
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  it.each([
    ['none', 'predict', /asks for a class and declares access: 'none'; declare access: 'decision'/],
    ['decision', 'logits', /asks for logits and declares access: 'decision'; declare access: 'score'/],
    ['score', 'gradient', /asks for a gradient and declares access: 'score'; declare access: 'gradient'/],
    ['score', 'valueAndGradient', /asks for a gradient/],
  ] as const)('with access %s has no %s', (access, asked, complaint) => {
    tf.tidy(() => {
      const x = randomImages(SHAPE, 1);
      expect(() => context(bent, false, access)[asked](x)).toThrow(complaint);
      expect(() => context(bent, false)[asked](x)).not.toThrow();
    });
  });

  it('with access score has the logits, and no gradient by way of TensorFlow.js', () => {
    tf.tidy(() => {
      const x = randomImages(SHAPE, 1);
      const { logits } = context(bent, false, 'score');
      expect(list(logits(x))).toEqual(list(bent(x)));
      expect(() => tf.grad((point) => logits(point as tf.Tensor4D).sum())(x)).toThrow(/asks for a gradient/);
    });
  });
});

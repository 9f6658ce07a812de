import { beforeAll, describe, expect, it } from 'vitest';
import { attackContext } from '../../src/core/attack-context.ts';
import * as losses from '../../src/core/losses.ts';
import { tf } from '../../src/tf.ts';
import { CLASSES, INPUT, randomValues } from './fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const BATCH = 3;
/** Without kinks, so that differences tell the slope. */
const weights = randomValues(20 * CLASSES, 11).map((w) => w / 4);
const logits = (x: tf.Tensor4D): tf.Tensor2D =>
  x
    .tanh()
    .reshape([x.shape[0], 20])
    .matMul(tf.tensor2d(weights, [20, CLASSES])) as tf.Tensor2D;

const contextFor = (targeted: boolean) => {
  const label = tf.tensor1d([0, 1, 3], 'int32');
  return attackContext({
    access: 'gradient',
    logits,
    norm: 'Linf',
    targeted,
    params: {},
    noise: () => tf.scalar(0),
    clean: tf.zeros([BATCH, ...INPUT]),
    label,
    target: targeted ? tf.tensor1d([2, 2, 1], 'int32') : label,
    epsilon: tf.fill([BATCH, 1, 1, 1], 0.1),
    iteration: tf.zeros([BATCH, 1, 1, 1]),
  });
};
const images = () => tf.tensor4d(randomValues(BATCH * 20, 5, 'uniform'), [BATCH, ...INPUT]);

/** (J(x + h·d) - J(x - h·d)) / 2h per image, for one direction. */
function slope(loss: (x: tf.Tensor4D) => tf.Tensor1D, x: tf.Tensor4D, direction: tf.Tensor4D): tf.Tensor1D {
  const h = 1e-3;
  return loss(x.add(direction.mul(h)))
    .sub(loss(x.sub(direction.mul(h))))
    .div(2 * h);
}

describe.each([false, true])('the context of an attack, targeted: %s', (targeted) => {
  it.each(['crossEntropy', 'margin', 'dlr'] as const)('gives the gradient of its %s, image by image', (name) => {
    tf.tidy(() => {
      const context = contextFor(targeted);
      const x = images();
      const { value, gradient, logits: at } = context.valueAndGradient(x, context[name]);
      expect([...value.dataSync()]).toEqual([...context[name](logits(x)).dataSync()]);
      expect([...at.dataSync()]).toEqual([...logits(x).dataSync()]);
      expect([...gradient.dataSync()]).toEqual([...context.gradient(x, context[name]).dataSync()]);
      const direction = tf.tensor4d(randomValues(BATCH * 20, 6), x.shape);
      const expected = slope((point) => context[name](logits(point)), x, direction).dataSync();
      const actual = gradient.mul(direction).sum([1, 2, 3]).dataSync();
      expected.forEach((value, i) => {
        expect(actual[i]).toBeCloseTo(value, 2);
      });
    });
  });

  it('raises every loss towards the goal', () => {
    tf.tidy(() => {
      const context = contextFor(targeted);
      const wanted = targeted ? context.target : context.label;
      const oneHot = tf.oneHot(wanted, CLASSES).toFloat().mul(8) as tf.Tensor2D;
      const base = logits(images());
      const moved = (targeted ? base.add(oneHot) : base.sub(oneHot)) as tf.Tensor2D;
      for (const loss of [context.crossEntropy, context.margin]) {
        const rise = loss(moved).sub(loss(base)).dataSync();
        expect(Math.min(...rise)).toBeGreaterThan(0);
      }
      const reached = context.margin(base).greater(0).dataSync();
      const isWanted = base.argMax(1).equal(wanted).dataSync();
      reached.forEach((value, i) => {
        expect(value === 1).toBe(targeted === (isWanted[i] === 1));
      });
    });
  });

  it('differentiates cross-entropy unless told otherwise', () => {
    tf.tidy(() => {
      const context = contextFor(targeted);
      const { value } = context.valueAndGradient(images());
      const plain = losses.crossEntropy(logits(images()), targeted ? context.target : context.label).dataSync();
      expect([...value.dataSync()]).toEqual([...plain].map((loss) => (targeted ? -loss : loss)));
    });
  });

  it('leaves only what it returns', () => {
    tf.tidy(() => {
      const context = contextFor(targeted);
      const x = images();
      const before = tf.memory().numTensors;
      const { value, gradient, logits: at } = tf.tidy(() => context.valueAndGradient(x));
      expect(tf.memory().numTensors - before).toBe(3);
      tf.dispose([value, gradient, at]);
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

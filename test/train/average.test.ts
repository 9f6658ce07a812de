import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from '../../src/tf.ts';
import { averageOf, decayAt, follow } from '../../src/train/average.ts';
import { notFinite, snapshotOf, soundness, weightsByName, withWeights } from '../../src/train/snapshot.ts';
import { tinyNetwork, weightValues } from './tiny.ts';

beforeAll(() => tf.setBackend('cpu'));

const values = fc.array(fc.float({ noNaN: true, min: -10, max: 10 }), { minLength: 1, maxLength: 8 });

describe('the average of weights', () => {
  it('is dw̄ + (1 - d)w, and of what stays the same it is that', () => {
    fc.assert(
      fc.property(values, values, fc.double({ min: 0.1, max: 0.9999, noNaN: true }), (start, next, decay) => {
        const size = Math.min(start.length, next.length);
        const weight = tf.variable(tf.tensor1d(start.slice(0, size)));
        const weights = new Map([['w', weight]]);
        const average = averageOf(weights);
        const share = tf.scalar(1 - decay);
        const means = () => [...(average.get('w')?.dataSync() ?? [])];
        for (let i = 0; i < 3; i++) follow(average, weights, share);
        expect(means().map((mean) => mean + 0)).toEqual([...weight.dataSync()].map((value) => value + 0));
        const before = means();
        weight.assign(tf.tensor1d(next.slice(0, size)));
        follow(average, weights, share);
        for (const [i, mean] of means().entries()) {
          const expected = decay * (before[i] as number) + (1 - decay) * (next[i] as number);
          expect(Math.abs(mean - expected)).toBeLessThanOrEqual(1e-5);
        }
        tf.dispose([weight, share, ...average.values()]);
      }),
      { numRuns: 50, examples: [[[-0], [1], 0.5]] },
    );
  });

  it('forgets the first weights of a short training sooner than its decay would', () => {
    expect([0, 1, 90, 1e6].map((updates) => decayAt(0.999, updates))).toEqual([0.1, 2 / 11, 0.91, 0.999]);
    const left = Array.from({ length: 200 }, (_, n) => decayAt(0.999, n)).reduce((a, b) => a * b);
    expect(left).toBeLessThan(1e-9);
  });
});

describe('a copy of the weights', () => {
  it('takes the place of a network’s own for a while, batch-norm statistics too, and leaves no tensor', async () => {
    const [network, other] = [tinyNetwork(undefined, 1), tinyNetwork(undefined, 2)];
    const [own, others] = [await weightValues(network), await weightValues(other)];
    const [weights, copy] = [weightsByName(network.model), await snapshotOf(weightsByName(other.model))];
    const tensors = tf.memory().numTensors;
    await withWeights(weights, copy, async () => expect(await weightValues(network)).toEqual(others));
    expect(await weightValues(network)).toEqual(own);
    const failing = withWeights(weights, copy, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await weightValues(network)).toEqual(own);
    expect([...weights.keys()].join()).toMatch(/bn1\/\w*mean/);
    expect(tf.memory().numTensors).toBe(tensors);
    network.dispose();
    other.dispose();
  });

  it('names the first weight that is no number, which the soundness of an update shows', async () => {
    const network = tinyNetwork();
    const weights = weightsByName(network.model);
    expect(notFinite(await snapshotOf(weights))).toBeUndefined();
    const sound = () => tf.tidy(() => soundness(weights).dataSync()[0]);
    const bias = weights.get('dense/bias');
    bias?.assign(tf.tensor1d([3.4e38, -3.4e38, 3.4e38]));
    expect(notFinite(await snapshotOf(weights))).toBeUndefined();
    expect(sound()).toBeLessThan(1e10);
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      bias?.assign(tf.tensor1d([0, broken, 0]));
      expect(notFinite(await snapshotOf(weights))).toBe('dense/bias');
      expect(sound()).not.toSatisfy(Number.isFinite);
    }
    network.dispose();
  });
});

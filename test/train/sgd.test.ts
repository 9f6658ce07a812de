import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from '../../src/tf.ts';
import { type Slot, sgdUpdate } from '../../src/train/sgd.ts';

beforeAll(() => tf.setBackend('cpu'));

interface Case {
  readonly start: number;
  readonly curvature: number;
  readonly rates: readonly number[];
  readonly momentum: number;
  readonly weightDecay: number;
}

/** w after minimising ½·a·w² with the update under test. */
function minimise({ start, curvature, rates, momentum, weightDecay }: Case): number[] {
  return tf.tidy(() => {
    const weight = tf.variable(tf.tensor1d([start]));
    const velocity = tf.variable(tf.tensor1d([0]), false);
    const slots: Slot[] = [{ name: 'w', weight, velocity }];
    const path = rates.map((rate) => {
      const { grads } = tf.variableGrads(
        () =>
          weight
            .square()
            .mul(curvature / 2)
            .sum(),
        [weight],
      );
      sgdUpdate(slots, grads, { rate: tf.scalar(rate), momentum, weightDecay });
      return weight.dataSync()[0] as number;
    });
    weight.dispose();
    velocity.dispose();
    return path;
  });
}

describe('stochastic gradient descent with momentum', () => {
  it('takes the steps that a pencil does on ½w² from 1: 0.9, 0.72, 0.486, 0.2268', () => {
    const path = minimise({ start: 1, curvature: 1, rates: [0.1, 0.1, 0.1, 0.1], momentum: 0.9, weightDecay: 0 });
    [0.9, 0.72, 0.486, 0.2268].forEach((expected, i) => {
      expect(path[i]).toBeCloseTo(expected, 6);
    });
  });

  it('follows the closed form on a quadratic: w is a linear recurrence with the roots of r² - (1 + μ - ηh)r + μ', () => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    const rate = number(0.01, 0.2);
    const law = fc.property(
      number(-2, 2),
      number(0.5, 2),
      rate,
      number(0, 0.9),
      number(0, 0.1),
      (start, curvature, η, μ, λ) => {
        const steps = 12;
        const path = minimise({ start, curvature, rates: Array(steps).fill(η), momentum: μ, weightDecay: λ });
        // Eliminating v from w' = w - ηv', v' = μv + hw, h = a + λ.
        const h = curvature + λ;
        const expected = [start, start * (1 - η * h)];
        while (expected.length <= steps) {
          const [before, last] = expected.slice(-2) as [number, number];
          expected.push((1 + μ - η * h) * last - μ * before);
        }
        path.forEach((w, i) => {
          expect(w).toBeCloseTo(expected[i + 1] as number, 5);
        });
      },
    );
    fc.assert(law, { numRuns: 30 });
  });

  it('keeps the rate outside the velocity, so that a lower rate takes effect at once', () => {
    const path = minimise({ start: 1, curvature: 1, rates: [0.1, 0], momentum: 0.9, weightDecay: 0 });
    expect(path[1]).toBe(path[0]);
  });

  it('decays weights through the momentum, as torch.optim.SGD does', () => {
    const path = minimise({ start: 1, curvature: 0, rates: [0.1, 0.1], momentum: 0.5, weightDecay: 0.2 });
    // v = .2, w = .98; v = .5·.2 + .2·.98 = .296, w = .9504.
    expect(path[0]).toBeCloseTo(0.98, 6);
    expect(path[1]).toBeCloseTo(0.9504, 6);
  });

  it('leaves a weight that the loss does not reach as it is', () => {
    const weight = tf.variable(tf.tensor1d([1]));
    const velocity = tf.variable(tf.tensor1d([0]), false);
    sgdUpdate([{ name: 'w', weight, velocity }], {}, { rate: tf.scalar(1), momentum: 0.9, weightDecay: 0.5 });
    expect(weight.dataSync()[0]).toBe(1);
    tf.dispose([weight, velocity]);
  });
});

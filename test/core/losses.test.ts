import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { crossEntropy, dlr, margin, targetedDlr } from '../../src/core/losses.ts';
import { tf } from '../../src/tf.ts';

type Logits = readonly number[];
/** A loss of one image in float64. */
type Formula = (z: Logits, y: number, target: number) => number;
type TensorLoss = (z: tf.Tensor2D, y: tf.Tensor1D, target: tf.Tensor1D) => tf.Tensor1D;

const at = (z: Logits, i: number): number => z[i] as number;
const others = (z: Logits, y: number): number[] => z.filter((_, j) => j !== y);
/** The `rank`-th largest, from 1. */
const ranked = (z: Logits, rank: number): number =>
  at(
    [...z].sort((a, b) => b - a),
    rank - 1,
  );

const LOSSES: Readonly<Record<string, { formula: Formula; loss: TensorLoss }>> = {
  'cross-entropy': {
    formula: (z, y) => {
      const largest = Math.max(...z);
      return largest + Math.log(z.reduce((sum, v) => sum + Math.exp(v - largest), 0)) - at(z, y);
    },
    loss: (z, y) => crossEntropy(z, y),
  },
  margin: {
    formula: (z, y) => Math.max(...others(z, y)) - at(z, y),
    loss: (z, y) => margin(z, y),
  },
  DLR: {
    formula: (z, y) => (Math.max(...others(z, y)) - at(z, y)) / (ranked(z, 1) - ranked(z, 3) + 1e-12),
    loss: (z, y) => dlr(z, y),
  },
  'targeted DLR': {
    formula: (z, y, target) => (at(z, target) - at(z, y)) / (ranked(z, 1) - (ranked(z, 3) + ranked(z, 4)) / 2 + 1e-12),
    loss: (z, y, target) => targetedDlr(z, y, target),
  },
};

/** The formula's derivative, by central differences in float64. */
const derivative = (formula: Formula, z: Logits, y: number, target: number): number[] =>
  z.map((_, i) => {
    const moved = (step: number) =>
      formula(
        z.map((v, j) => (i === j ? v + step : v)),
        y,
        target,
      );
    return (moved(1e-5) - moved(-1e-5)) / 2e-5;
  });

function evaluate(loss: TensorLoss, batch: readonly Logits[], y: readonly number[], target: readonly number[] = y) {
  return tf.tidy(() => {
    const logits = tf.tensor2d(batch.map((z) => [...z]));
    const bound = (z: tf.Tensor) =>
      loss(z as tf.Tensor2D, tf.tensor1d([...y], 'int32'), tf.tensor1d([...target], 'int32'));
    const gradient = tf.grad((z) => bound(z).sum())(logits) as tf.Tensor2D;
    return { value: [...bound(logits).dataSync()], gradient: gradient.arraySync() };
  });
}

/** Logits of either sign on a grid of 1/64, exact in float32 and no two equal, so that every loss has a derivative. */
const anyLogits = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: -640, max: 640 }), { minLength: 4, maxLength: 10 }),
    fc.constantFrom(-12, 0, 12),
    fc.nat(),
    fc.nat(),
  )
  .map(([values, shift, y, target]) => ({
    z: values.map((v) => v / 64 + shift),
    y: y % values.length,
    target: (y + 1 + (target % (values.length - 1))) % values.length,
  }));

fc.configureGlobal({ numRuns: 50 });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(Object.entries(LOSSES))('%s', (_, { formula, loss }) => {
  it('has the value and the gradient of its formula', () => {
    fc.assert(
      fc.property(anyLogits, ({ z, y, target }) => {
        const { value, gradient } = evaluate(loss, [z], [y], [target]);
        const exact = formula(z, y, target);
        expect(Math.abs((value[0] as number) - exact)).toBeLessThan(1e-5 * Math.max(1, Math.abs(exact)));
        const slopes = derivative(formula, z, y, target);
        const steepest = Math.max(...slopes.map(Math.abs));
        slopes.forEach((slope, i) => {
          expect(Math.abs((gradient[0]?.[i] as number) - slope)).toBeLessThan(1e-5 * Math.max(1, steepest));
        });
      }),
    );
  });

  it('does not change when all logits move together, so its gradient sums to zero', () => {
    fc.assert(
      fc.property(anyLogits, ({ z, y, target }) => {
        const { value, gradient } = evaluate(loss, [z, z.map((v) => v + 8)], [y, y], [target, target]);
        expect(Math.abs((value[0] as number) - (value[1] as number))).toBeLessThan(
          1e-5 * Math.max(1, Math.abs(value[0] as number)),
        );
        const sum = gradient[0]?.reduce((a, b) => a + b, 0) as number;
        expect(Math.abs(sum)).toBeLessThan(1e-5 * Math.max(1, ...(gradient[0] as number[]).map(Math.abs)));
      }),
    );
  });

  it('takes every image on its own', () => {
    const [a, b] = [
      [3, -1, 0.5, 2, 9],
      [-40, -3, -2, -20, -10],
    ];
    const together = evaluate(loss, [a, b], [0, 3], [1, 2]);
    const alone = [evaluate(loss, [a], [0], [1]), evaluate(loss, [b], [3], [2])];
    expect(together.value).toEqual(alone.flatMap(({ value }) => value));
    expect(together.gradient).toEqual(alone.flatMap(({ gradient }) => gradient));
  });

  it('is finite where logits are equal or very large', () => {
    const hard = [
      [0, 0, 0, 0],
      [7, 7, 7, 7],
      [5, 5, 5, -1],
      [1e4, -1e4, 0, 1],
      [-1e4, 1e4, 0, 1],
      [-1e4, -1e4, -1e4, -1e4],
    ];
    for (const z of hard) {
      const { value, gradient } = evaluate(loss, [z], [0], [1]);
      expect([...value, ...gradient.flat()].every(Number.isFinite)).toBe(true);
    }
  });
});

describe('cross-entropy of an image that the network is sure of', () => {
  it.each([20, 50, 90])(
    'by a margin of %i keeps its gradient: away from the others as much as from the truth',
    (lead) => {
      const z = [0.5, lead, 0, -1, 0.25];
      const [gradient] = evaluate((logits, y) => crossEntropy(logits, y), [z], [1]).gradient as [number[]];
      const [truth] = [gradient[1] as number];
      const rest = others(gradient, 1).reduce((a, b) => a + b, 0);
      expect(truth).toBeLessThan(0);
      expect(Math.abs(truth / -rest - 1)).toBeLessThan(1e-5);
      // Against the exact probabilities of the others.
      const total = others(z, 1).reduce((sum, v) => sum + Math.exp(v - lead), 1);
      for (const j of [0, 2, 3, 4]) {
        expect(Math.abs((gradient[j] as number) / (Math.exp(at(z, j) - lead) / total) - 1)).toBeLessThan(1e-4);
      }
    },
  );

  it('by a margin of 95 still points the right way, though float32 has few digits left there', () => {
    const [gradient] = evaluate((logits, y) => crossEntropy(logits, y), [[0, 95, 0]], [1]).gradient as [number[]];
    expect(gradient.map(Math.sign)).toEqual([1, -1, 1]);
    expect((gradient[1] as number) / -2 / (gradient[0] as number)).toBeCloseTo(1, 2);
  });

  it('is where the textbook form has no gradient left', () => {
    const z = [0, 20, 0];
    const textbook: TensorLoss = (logits, y) =>
      tf.neg(tf.logSoftmax(logits).mul(tf.oneHot(y, 3).toFloat()).sum(1)) as tf.Tensor1D;
    const [gradient] = evaluate(textbook, [z], [1]).gradient as [number[]];
    expect(gradient[1]).toBeCloseTo(0, 12);
  });

  it('has a value that is not rounded away either', () => {
    const { value } = evaluate((logits, y) => crossEntropy(logits, y), [[0, 30]], [1]);
    expect((value[0] as number) / Math.exp(-30)).toBeCloseTo(1, 5);
  });
});

describe('the margin', () => {
  it('is positive exactly where the image is misclassified, for logits of either sign', () => {
    fc.assert(
      fc.property(anyLogits, ({ z, y }) => {
        const { value } = evaluate((logits, label) => margin(logits, label), [z], [y]);
        expect((value[0] as number) > 0).toBe(z.indexOf(Math.max(...z)) !== y);
      }),
    );
  });

  it('of equals moves one of them alone', () => {
    const { gradient } = evaluate((logits, y) => margin(logits, y), [[3, 1, 1, 1]], [0]);
    expect(gradient).toEqual([[-1, 1, 0, 0]]);
  });
});

describe('DLR', () => {
  it('does not change when the logits are scaled', () => {
    fc.assert(
      fc.property(anyLogits, ({ z, y, target }) => {
        for (const name of ['DLR', 'targeted DLR']) {
          const { loss } = LOSSES[name] as (typeof LOSSES)[string];
          const { value } = evaluate(loss, [z, z.map((v) => v * 16)], [y, y], [target, target]);
          expect(value[0]).toBeCloseTo(value[1] as number, 4);
        }
      }),
    );
  });

  it('says how many classes it needs', () => {
    expect(() => evaluate((z, y) => dlr(z, y), [[0, 1]], [0])).toThrow(
      'the DLR loss needs 3 classes or more; this classifier has 2',
    );
    expect(() => evaluate((z, y, t) => targetedDlr(z, y, t), [[0, 1, 2]], [0], [1])).toThrow(
      'the targeted DLR loss needs 4 classes or more; this classifier has 3',
    );
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { klDivergence, smoothedCrossEntropy, wrongCertainty } from '../../src/core/losses.ts';
import { tf } from '../../src/tf.ts';
import { oracle } from '../train/oracle.ts';

beforeAll(() => tf.setBackend('cpu'));

const [IMAGES, CLASSES] = [7, 5] as const;
/** The row of saturated logits, whose values and gradients are far below the others'. */
const SATURATED = 5;

type Of = (p: tf.Tensor2D, q: tf.Tensor2D, y: tf.Tensor1D) => tf.Tensor1D;

const LOSSES: readonly (readonly [Exclude<keyof typeof oracle.losses, 'p' | 'q' | 'y'>, Of])[] = [
  ['smoothed 0', (p, _, y) => smoothedCrossEntropy(p, y, 0)],
  ['smoothed 0.1', (p, _, y) => smoothedCrossEntropy(p, y, 0.1)],
  ['smoothed 1', (p, _, y) => smoothedCrossEntropy(p, y, 1)],
  ['divergence', (p, q) => klDivergence(p, q)],
  ['wrong certainty', (_, q, y) => wrongCertainty(q, y)],
];

const logits = (name: 'p' | 'q'): tf.Tensor2D => tf.tensor2d([...oracle.losses[name]], [IMAGES, CLASSES]);

const row = (values: readonly number[]): readonly number[] =>
  values.slice(SATURATED * CLASSES, (SATURATED + 1) * CLASSES);

describe.each(LOSSES)('the loss "%s"', (name, loss) => {
  const { value, gradients } = oracle.losses[name];

  it('is what PyTorch computes in float64', () =>
    tf.tidy(() => {
      const found = loss(logits('p'), logits('q'), tf.tensor1d([...oracle.losses.y], 'int32')).dataSync();
      value.forEach((expected, i) => {
        expect(found[i], `image ${i}`).toBeCloseTo(expected, 5);
      });
    }));

  it('has the gradients that PyTorch computes in float64, also where the softmax is saturated', () =>
    tf.tidy(() => {
      const y = tf.tensor1d([...oracle.losses.y], 'int32');
      const found = [
        tf.grad((p) =>
          loss(p as tf.Tensor2D, logits('q'), y)
            .sum()
            .add(p.mul(0).sum()),
        )(logits('p')),
        tf.grad((q) =>
          loss(logits('p'), q as tf.Tensor2D, y)
            .sum()
            .add(q.mul(0).sum()),
        )(logits('q')),
      ];
      gradients.forEach((expected, i) => {
        const values = [...(found[i] as tf.Tensor).dataSync()];
        (expected ?? values.map(() => 0)).forEach((one, j) => {
          expect(values[j], `gradient ${i}, number ${j}`).toBeCloseTo(one, 5);
        });
      });
    }));
});

it('the divergence of two saturated answers still points somewhere: its gradient is right to a thousandth', () =>
  tf.tidy(() => {
    const [, expected] = oracle.losses.divergence.gradients;
    const found = tf.grad((q) => klDivergence(logits('p'), q as tf.Tensor2D).sum())(logits('q'));
    const largest = Math.max(...row(expected ?? []).map(Math.abs));
    expect(largest).toBeLessThan(1e-8);
    row([...found.dataSync()]).forEach((value, i) => {
      expect(Math.abs(value - (row(expected ?? [])[i] as number))).toBeLessThan(1e-3 * largest);
    });
  }));

it('the divergence of an answer from itself is 0, and so is its gradient', () =>
  tf.tidy(() => {
    const p = logits('p');
    expect([...klDivergence(p, p).dataSync()]).toEqual(Array(IMAGES).fill(0));
    const gradient = tf.grad((q) => klDivergence(p, q as tf.Tensor2D).sum())(p);
    expect(gradient.abs().max().dataSync()[0]).toBeLessThan(1e-7);
  }));

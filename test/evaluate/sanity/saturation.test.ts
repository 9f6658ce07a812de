import { describe, expect, it } from 'vitest';
import { crossEntropy } from '../../../src/core/losses.ts';
import { saturates } from '../../../src/evaluate/sanity/saturation.ts';
import { tf } from '../../../src/tf.ts';

/** ∂(-log softmax(z)_y)/∂z_y as the textbook has it, every number a float32. */
function textbook(logits: Float32Array, label: number): number {
  const largest = Math.max(...logits);
  const powers = logits.map((z) => Math.exp(z - largest));
  const sum = powers.reduce((a, b) => Math.fround(a + b));
  return Math.fround(Math.fround((powers[label] as number) / sum) - 1);
}

describe('saturation of the textbook cross-entropy', () => {
  it('is where its gradient towards the true class is zero', () => {
    for (const margin of [0.5, 3, 10, 15, 16, 19, 20, 50, 99, 120, 5000]) {
      for (const label of [0, 2]) {
        const logits = new Float32Array(3).fill(-1 - margin);
        logits[label] = -1;
        expect([margin, saturates(logits, label)]).toEqual([margin, textbook(logits, label) === 0]);
        expect(saturates(logits, 1)).toBe(false);
      }
    }
  });

  it('begins at a margin of about 17, where the loss of attacks still has a gradient', async () => {
    await tf.setBackend('cpu');
    const gradientAt = (margin: number): number =>
      tf.tidy(() => {
        const of = (z: tf.Tensor) => crossEntropy(z as tf.Tensor2D, tf.tensor1d([0], 'int32')).sum();
        return tf
          .grad(of)(tf.tensor2d([[margin, 0]]))
          .dataSync()[0] as number;
      });
    expect(saturates(Float32Array.of(16, 0), 0)).toBe(false);
    expect(saturates(Float32Array.of(18, 0), 0)).toBe(true);
    expect(gradientAt(18) / -Math.exp(-18)).toBeCloseTo(1, 3);
    expect(gradientAt(60) / -Math.exp(-60)).toBeCloseTo(1, 3);
  });

  it('is no word for logits that are no numbers', () => {
    expect(saturates(Float32Array.of(Number.POSITIVE_INFINITY, 0), 0)).toBe(false);
    expect(saturates(Float32Array.of(Number.NaN, 0), 0)).toBe(false);
  });
});

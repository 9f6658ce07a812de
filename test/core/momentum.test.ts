import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { accumulate } from '../../src/core/momentum.ts';
import { tf } from '../../src/tf.ts';
import { anySeed, anyShape, randomTensor, rows } from './batches.ts';
import { minus, normOf } from './reference.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe('momentum', () => {
  it('keeps its share of the velocity, and adds a push whose L1 norm is 1 for every image, however faint its gradient', () => {
    const anyCase = fc.tuple(
      anyShape,
      anySeed,
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.constantFrom(1e-25, 1, 1e8),
    );
    fc.assert(
      fc.property(anyCase, ([shape, seed, decay, scale]) => {
        tf.tidy(() => {
          const velocity = randomTensor(shape, seed, 'normal');
          const gradient = randomTensor(shape, seed + 1, 'normal').mul(scale) as tf.Tensor4D;
          const next = rows(accumulate(velocity, gradient, decay));
          const kept = rows(velocity.mul(decay));
          rows(gradient).forEach((g, i) => {
            const push = minus(next[i] as Float32Array, kept[i] as Float32Array);
            const expected = Array.from(g, (value) => value / normOf('L1', g));
            expect(normOf('Linf', minus(push, expected))).toBeLessThan(2e-6);
          });
        });
      }),
    );
  });

  it('is not moved by a gradient of zero', () => {
    tf.tidy(() => {
      const velocity = randomTensor([2, 3, 3, 1], 0, 'normal');
      expect(accumulate(velocity, tf.zerosLike(velocity), 1).dataSync()).toEqual(velocity.dataSync());
    });
  });
});

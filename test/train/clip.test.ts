import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from '../../src/tf.ts';
import { clipGradients } from '../../src/train/clip.ts';
import { oracleUniform } from '../models/oracle-weights.ts';
import { oracle } from './oracle.ts';

beforeAll(() => tf.setBackend('cpu'));

const gradients = (scale = 1): tf.NamedTensorMap => ({
  a: tf.tensor2d(oracleUniform('g1', 6), [2, 3]).mul(scale),
  b: tf.tensor1d(oracleUniform('g2', 4)).mul(3 * scale),
});

describe('clipped gradients', () => {
  it.each(Object.entries(oracle.clipping))('are those of PyTorch at a length of %s', (longest, expected) =>
    tf.tidy(() => {
      Object.values(clipGradients(gradients(), Number(longest))).forEach((gradient, i) => {
        [...gradient.dataSync()].forEach((value, j) => {
          expect(value).toBeCloseTo(expected[i]?.[j] as number, 6);
        });
      });
    }),
  );

  it('of nothing are nothing', () =>
    tf.tidy(() => {
      const { a } = clipGradients(gradients(0), 1);
      expect(a?.abs().max().dataSync()[0]).toBe(0);
    }));
});

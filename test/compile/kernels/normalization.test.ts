import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NORMALIZATION } from '../../../src/compile/kernels/normalization.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, missed } from '../agree.ts';
import { float, shape, shapeOfRank } from '../arbitrary.ts';
import { checkMany } from '../check.ts';

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const POSITIVE = { from: 0.2, to: 3 };

/** Statistics as TensorFlow.js takes them: one per channel, or as wide as x. */
const batchNorm = (rank: number): fc.Arbitrary<Case> =>
  shapeOfRank(rank)
    .chain((s) => fc.tuple(fc.constant(s), fc.boolean()))
    .chain(([s, wide]) => {
      const statistics = wide ? s : s.slice(-1);
      return fc.tuple(
        float(s),
        float(statistics),
        float(statistics, POSITIVE),
        float(statistics),
        float(statistics),
        between(0, 3),
      );
    })
    .map(([x, mean, variance, offset, scale, which]): Case => {
      const [shifted, scaled] = [which % 2 === 1, which > 1];
      type Five = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      const apply = (...[t, m, v, o, s]: Five): tf.Tensor =>
        tf.batchNorm(
          t,
          m as tf.Tensor1D,
          v as tf.Tensor1D,
          shifted ? (o as tf.Tensor1D) : undefined,
          scaled ? (s as tf.Tensor1D) : undefined,
          0.01,
        );
      return {
        title: `batchNorm of [${x.shape}] by [${mean.shape}]${shifted ? ', offset' : ''}${scaled ? ', scale' : ''}`,
        inputs: [x, mean, variance, offset, scale],
        fn: (...five) => {
          const y = apply(...(five as unknown as Five));
          // TensorFlow.js differentiates only with offset and scale, and towards statistics of one per channel.
          if (mean.shape.length !== 1 || !shifted || !scaled) return y;
          const slopes = tf.grads((...all) => apply(...(all as unknown as Five)).square())(five);
          return [y, ...slopes];
        },
        tolerance: 2e-5,
      };
    });

describe('normalisations agree with TensorFlow.js', () => {
  it.each([2, 3, 4])('batch normalisation of rank %i, with gradients', (rank) => checkMany(batchNorm(rank), 12, 6));

  it('batch normalisation by moments taken on the spot: training', () =>
    checkMany(
      shapeOfRank(4, 5)
        .filter(([n, h, w]) => (n as number) * (h as number) * (w as number) > 3)
        .chain((s) => fc.tuple(float(s, 'smooth'), float(s.slice(-1)), float(s.slice(-1))))
        .map(
          ([x, offset, scale]): Case => ({
            title: `batch normalisation in training of [${x.shape}]`,
            inputs: [x, offset, scale],
            fn: (...three) =>
              tf.grads((t, o, s) => {
                const { mean, variance } = tf.moments(t as tf.Tensor, [0, 1, 2]);
                return tf
                  .batchNorm(
                    t as tf.Tensor,
                    mean as tf.Tensor1D,
                    variance as tf.Tensor1D,
                    o as tf.Tensor1D,
                    s as tf.Tensor1D,
                    0.1,
                  )
                  .pow(3);
              })(three),
            tolerance: 1e-4,
            scale: 10,
          }),
        ),
      15,
      4,
    ));

  it('softmax and its logarithm, also of large logits, with gradients', () =>
    checkMany(
      fc
        .tuple(shape(1, 4), fc.constantFrom(1, 10, 40))
        .chain(([s, size]) => float(s, { from: -size, to: size }))
        .map(
          (x): Case => ({
            title: `softmax of [${x.shape}]`,
            inputs: [x],
            fn: (t) => [
              tf.softmax(t as tf.Tensor),
              tf.logSoftmax(t as tf.Tensor),
              tf.grad((u) => tf.softmax(u).square())(t as tf.Tensor),
              tf.grad((u) => tf.logSoftmax(u).square())(t as tf.Tensor),
            ],
            scale: 10,
          }),
        ),
      15,
      6,
    ));

  it('softmax of logits so far apart that others vanish', () =>
    agree([
      {
        title: 'saturated softmax',
        inputs: [{ data: Float32Array.of(500, -500, 0, 88, 89, -90), shape: [2, 3], dtype: 'float32' }],
        fn: (x) => [tf.softmax(x as tf.Tensor), tf.logSoftmax(x as tf.Tensor)],
      },
    ]));

  it('local response normalisation and its gradient', () =>
    checkMany(
      shapeOfRank(4, 7)
        .chain((s) =>
          fc.tuple(
            float(s),
            between(1, 3),
            fc.constantFrom(1, 2),
            fc.constantFrom(1e-4, 0.5),
            fc.constantFrom(0.5, 0.75),
          ),
        )
        .map(([x, radius, bias, alpha, beta]): Case => {
          const normalise = (t: tf.Tensor): tf.Tensor =>
            tf.localResponseNormalization(t as tf.Tensor4D, radius, bias, alpha, beta);
          return {
            title: `LRN of [${x.shape}], radius ${radius}, bias ${bias}, alpha ${alpha}, beta ${beta}`,
            inputs: [x],
            fn: (t) => [normalise(t as tf.Tensor), tf.grad((u) => normalise(u).square())(t as tf.Tensor)],
          };
        }),
      20,
      6,
    ));
});

it('every normalisation was compiled', () => {
  expect(missed(NORMALIZATION)).toEqual([]);
});

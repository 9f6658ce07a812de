import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDUCE } from '../../../src/compile/kernels/reduce.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, missed, type Operand } from '../agree.ts';
import { bool, float, int, shape } from '../arbitrary.ts';
import { checkAll, checkMany } from '../check.ts';

type Reduction = (x: tf.Tensor, axis?: number[], keepDims?: boolean) => tf.Tensor;
type Kind = (s: readonly number[]) => fc.Arbitrary<Operand>;

/** All axes, one, several in any order, counted from either end, or none. */
const axes = (rank: number): fc.Arbitrary<number[] | undefined> =>
  fc.oneof(
    fc.constant(undefined),
    fc
      .shuffledSubarray(Array.from({ length: rank }, (_, i) => i))
      .chain((list) => fc.tuple(...list.map((axis) => fc.constantFrom(axis, axis - rank)))),
  );

const reduction = (title: string, fn: Reduction, kind: Kind = float, more: Partial<Case> = {}): fc.Arbitrary<Case> =>
  shape()
    .chain((s) => fc.tuple(kind(s), axes(s.length), fc.boolean()))
    .map(([x, axis, keepDims]) => ({
      title: `${title} of ${x.dtype}[${x.shape}] along [${axis}]${keepDims ? ', kept' : ''}`,
      inputs: [x],
      fn: (t) => fn(t as tf.Tensor, axis, keepDims),
      ...more,
    }));

const gradientOf =
  (fn: Reduction): Reduction =>
  (x, axis, keepDims) =>
    tf.grad((t) => fn(t, axis, keepDims))(x);

const EXACT = { tolerance: 'exact' } as const;

describe('reductions agree with TensorFlow.js', () => {
  it('on floats', () =>
    checkAll(
      [
        reduction('sum', tf.sum, float, { scale: 10 }),
        reduction('mean', tf.mean, float, { scale: 3 }),
        reduction('max', tf.max, float, EXACT),
        reduction('min', tf.min, float, EXACT),
        reduction('prod', tf.prod),
        reduction('logSumExp', tf.logSumExp),
        reduction('euclidean norm', (x, axis, keepDims) => tf.sqrt(tf.sum(tf.square(x), axis, keepDims))),
        reduction('variance', (x, axis, keepDims) => tf.moments(x, axis, keepDims).variance, float, { scale: 3 }),
      ],
      25,
    ));

  it('on whole numbers and truth values', () =>
    checkAll(
      [
        reduction('sum', tf.sum, int),
        reduction('sum of truths', tf.sum, bool),
        reduction('mean', tf.mean, int),
        reduction('max', tf.max, int),
        reduction('min', tf.min, int),
        reduction('prod', tf.prod, int),
        reduction('all', tf.all, bool),
        reduction('any', tf.any, bool),
      ],
      20,
    ));

  it('in their gradients', () =>
    checkAll(
      [
        reduction('gradient of sum', gradientOf(tf.sum)),
        reduction('gradient of mean', gradientOf(tf.mean)),
        reduction('gradient of max', gradientOf(tf.max)),
        reduction('gradient of min', gradientOf(tf.min)),
        reduction('gradient of logSumExp', gradientOf(tf.logSumExp)),
        reduction(
          'gradient of variance',
          gradientOf((x, axis, keep) => tf.moments(x, axis, keep).variance),
          float,
          { scale: 3 },
        ),
      ],
      12,
    ));

  it('on the first of several equal extremes', () =>
    checkMany(
      shape(1)
        .chain((s) =>
          fc.tuple(fc.oneof(float(s, 'grid'), int(s)), fc.integer({ min: -s.length, max: s.length - 1 }), fc.boolean()),
        )
        .map(([x, axis, most]) => ({
          title: `${most ? 'argMax' : 'argMin'} of ${x.dtype}[${x.shape}] along ${axis}`,
          inputs: [x],
          fn: (t) => (most ? tf.argMax : tf.argMin)(t as tf.Tensor, axis),
        })),
    ));

  it('on running sums, exclusive and in reverse, and their gradients', () =>
    checkMany(
      shape(1)
        .chain((s) =>
          fc.tuple(fc.oneof(float(s), int(s)), fc.integer({ min: 0, max: s.length - 1 }), fc.boolean(), fc.boolean()),
        )
        .map(([x, axis, exclusive, reverse]) => ({
          title: `cumsum of ${x.dtype}[${x.shape}] along ${axis}, exclusive ${exclusive}, reverse ${reverse}`,
          inputs: [x],
          fn: (t) => {
            const sums = tf.cumsum(t as tf.Tensor, axis, exclusive, reverse);
            // TensorFlow.js's gradient is wrong along any axis but the last.
            if (x.dtype === 'int32' || axis !== x.shape.length - 1) return sums;
            return [sums, tf.grad((u) => tf.cumsum(u, axis, exclusive, reverse).square())(t as tf.Tensor)];
          },
          scale: 20,
        })),
      15,
    ));

  it('on the largest k, the lower index first where values are equal', () =>
    checkMany(
      shape(1)
        .chain((s) =>
          fc.tuple(fc.oneof(float(s, 'grid'), float(s), int(s)), fc.integer({ min: 1, max: s.at(-1) as number })),
        )
        .map(([x, k]) => ({
          title: `top ${k} of ${x.dtype}[${x.shape}]`,
          inputs: [x],
          fn: (t) => {
            const { values, indices } = tf.topk(t as tf.Tensor, k, true);
            return [values, indices];
          },
          tolerance: 'exact' as const,
        })),
      20,
    ));
});

describe('reductions', () => {
  it('find the extremes of infinities', () =>
    agree([
      {
        title: 'extremes',
        inputs: [{ data: Float32Array.of(-1 / 0, 3, 1 / 0, -1 / 0, -1 / 0, -1 / 0), shape: [2, 3], dtype: 'float32' }],
        fn: (x) => [tf.max(x as tf.Tensor, 1), tf.min(x as tf.Tensor, 1), tf.argMax(x as tf.Tensor, 1)],
      },
    ]));

  it('sum long rows as accurately as doubles would', () => {
    const data = Float32Array.from({ length: 100_000 }, (_, i) => (i % 2 === 0 ? 1 : -1) * ((i % 97) / 97));
    const scale = data.reduce((a, b) => a + Math.abs(b), 0);
    return agree([
      {
        title: 'a long sum',
        inputs: [{ data, shape: [data.length], dtype: 'float32' }],
        fn: (x) => tf.sum(x as tf.Tensor),
        tolerance: 1e-6,
        scale,
      },
    ]);
  });
});

it('every reduction was compiled', () => {
  expect(missed(REDUCE)).toEqual([]);
});

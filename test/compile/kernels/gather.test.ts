import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../../src/compile/graph.ts';
import { GATHER } from '../../../src/compile/kernels/gather.ts';
import { tf } from '../../../src/tf.ts';
import { missed, type Operand } from '../agree.ts';
import { any, float, int, operand, seed, shape, shapeOfRank } from '../arbitrary.ts';
import { checkMany } from '../check.ts';

/** Positions along axes of the given lengths: [...shape, lengths.length]. */
const positions = (shape: readonly number[], lengths: readonly number[]): fc.Arbitrary<Operand> =>
  seed.map((s) => {
    const columns = lengths.map(
      (d, i) => operand(shape, s + i, { dtype: 'int32', values: { from: 0, to: d - 1 } }).data,
    );
    const data = Int32Array.from(
      { length: sizeOf(shape) * lengths.length },
      (_, i) => columns[i % lengths.length]?.[Math.floor(i / lengths.length)] as number,
    );
    return { data, shape: [...shape, lengths.length], dtype: 'int32' };
  });

describe('kernels that look up and add up by index agree with TensorFlow.js', () => {
  it('gather along any axis, and its gradient', () =>
    checkMany(
      fc
        .tuple(shape(1, 4), shape(0, 2))
        .chain(([s, at]) => fc.tuple(any(s), fc.integer({ min: 0, max: s.length - 1 }), fc.constant(at)))
        .chain(([x, axis, at]) =>
          fc.tuple(fc.constant(x), fc.constant(axis), int(at, 0, (x.shape[axis] as number) - 1)),
        )
        .map(([x, axis, indices]) => ({
          title: `gather of ${x.dtype}[${x.shape}] at [${indices.shape}] along ${axis}`,
          inputs: [x, indices],
          fn: (t, at) => {
            const rows = tf.gather(t as tf.Tensor, at as tf.Tensor1D, axis);
            if (x.dtype !== 'float32') return rows;
            return [rows, tf.grad((u) => tf.gather(u, at as tf.Tensor1D, axis).square())(t as tf.Tensor)];
          },
        })),
      25,
    ));

  it('gather per batch', () =>
    checkMany(
      fc
        .tuple(shapeOfRank(4, 3), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 0, max: 2 }), shape(0, 1))
        .chain(([s, batchDims, beyond, rest]) => {
          const axis = Math.min(batchDims + beyond, s.length - 1);
          const indices = int([...s.slice(0, batchDims), ...rest], 0, (s[axis] as number) - 1);
          return fc.tuple(float(s), indices, fc.constant(axis), fc.constant(batchDims));
        })
        .map(([x, indices, axis, batchDims]) => ({
          title: `gather of [${x.shape}] at [${indices.shape}] along ${axis}, ${batchDims} batch axes`,
          inputs: [x, indices],
          fn: (t, at) => {
            const rows = (u: tf.Tensor): tf.Tensor => tf.gather(u, at as tf.Tensor1D, axis, batchDims);
            // TensorFlow.js has no gradient for more than one batch axis.
            const gradient = batchDims === 1 ? [tf.grad((u) => rows(u).square())(t as tf.Tensor)] : [];
            return [rows(t as tf.Tensor), ...gradient];
          },
        })),
      25,
    ));

  it('gather of one value per row, and its gradient: how a loss picks the label', () =>
    checkMany(
      fc
        .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 7 }))
        .chain(([rows, classes]) => fc.tuple(float([rows, classes]), int([rows], 0, classes - 1)))
        .map(([x, labels]) => ({
          title: `gather of [${x.shape}] by label`,
          inputs: [x, labels],
          fn: (t, at) => {
            const [rows, classes] = x.shape as [number, number];
            const places = tf
              .range(0, rows, 1, 'int32')
              .mul(tf.scalar(classes, 'int32'))
              .add(at as tf.Tensor);
            const pick = (u: tf.Tensor): tf.Tensor => tf.gather(u.reshape([-1]), places as tf.Tensor1D);
            return [pick(t as tf.Tensor), tf.grad(pick)(t as tf.Tensor)];
          },
        })),
      15,
    ));

  it('gatherND', () =>
    checkMany(
      fc
        .tuple(shape(1, 4), shape(0, 2))
        .chain(([s, at]) =>
          fc.integer({ min: 1, max: s.length }).chain((depth) => fc.tuple(any(s), positions(at, s.slice(0, depth)))),
        )
        .map(([x, indices]) => ({
          title: `gatherND of ${x.dtype}[${x.shape}] at [${indices.shape}]`,
          inputs: [x, indices],
          fn: (t, at) => tf.gatherND(t as tf.Tensor, at as tf.Tensor),
          tolerance: 'exact' as const,
        })),
      20,
    ));

  it('scatterND, where repeated indices add up', () =>
    checkMany(
      fc
        .tuple(shape(1, 3), fc.integer({ min: 1, max: 9 }))
        .chain(([s, count]) =>
          fc.integer({ min: 1, max: s.length }).chain((depth) => {
            const updates = [count, ...s.slice(depth)];
            return fc.tuple(
              positions([count], s.slice(0, depth)),
              fc.oneof(float(updates), int(updates)),
              fc.constant(s),
            );
          }),
        )
        .map(([indices, updates, to]) => ({
          title: `scatterND of ${updates.dtype}[${updates.shape}] at [${indices.shape}] into [${to}]`,
          inputs: [indices, updates],
          fn: (at, values) => tf.scatterND(at as tf.Tensor, values as tf.Tensor, to),
        })),
      20,
    ));

  it('unsortedSegmentSum, and its gradient', () =>
    checkMany(
      shape(1, 3)
        .chain((s) => fc.tuple(float(s), int(s.slice(0, 1), 0, 3)))
        .map(([x, ids]) => ({
          title: `unsortedSegmentSum of [${x.shape}]`,
          inputs: [x, ids],
          fn: (t, at) => {
            const sums = (u: tf.Tensor): tf.Tensor => tf.unsortedSegmentSum(u, at as tf.Tensor1D, 5);
            return [sums(t as tf.Tensor), tf.grad((u) => sums(u).square())(t as tf.Tensor)];
          },
        })),
      15,
    ));
});

it('every kernel that looks up by index was compiled', () => {
  expect(missed(GATHER)).toEqual([]);
});

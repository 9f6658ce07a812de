import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../../src/compile/graph.ts';
import { SHAPE } from '../../../src/compile/kernels/shape.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, missed } from '../agree.ts';
import { any, float, operand, shape, shapeOfRank } from '../arbitrary.ts';
import { checkMany } from '../check.ts';
import { moving } from './moving.ts';

/** A sum that tells the parts of a list apart. */
const weighed = (parts: readonly tf.Tensor[]): tf.Tensor =>
  tf.addN(
    parts.map((part, i) =>
      part
        .square()
        .sum()
        .mul(i + 1),
    ),
  );

const axisOf = (s: readonly number[]): fc.Arbitrary<number> => fc.integer({ min: -s.length, max: s.length - 1 });

/** Some way to write the size as a product. */
const regrouped = (s: readonly number[]): fc.Arbitrary<number[]> =>
  fc.constantFrom<number[]>([sizeOf(s)], [-1], [1, -1], [...s, 1], [...s].reverse(), [s[0] ?? 1, -1], [1, ...s, 1]);

describe('kernels that move values agree with TensorFlow.js', () => {
  it('reshape', () =>
    checkMany(
      shape()
        .chain((s) => fc.tuple(any(s), regrouped(s)))
        .map(([x, to]) => moving(`reshape to [${to}]`, x, (t) => tf.reshape(t, to))),
    ));

  it('expandDims and squeeze', () =>
    checkMany(
      shape(0, 4)
        .chain((s) => fc.tuple(any(s), fc.integer({ min: -s.length - 1, max: s.length })))
        .map(([x, axis]) => moving(`expand at ${axis}`, x, (t) => tf.squeeze(tf.expandDims(t, axis)).expandDims(0))),
      15,
    ));

  it('transpose', () =>
    checkMany(
      shape()
        .chain((s) =>
          fc.tuple(
            any(s),
            fc.shuffledSubarray(
              s.map((_, i) => i),
              { minLength: s.length },
            ),
          ),
        )
        .map(([x, permutation]) => moving(`transpose by [${permutation}]`, x, (t) => tf.transpose(t, permutation))),
    ));

  it('concat, along any axis, of any layouts', () =>
    checkMany(
      fc
        .tuple(shape(1), fc.integer({ min: 1, max: 4 }))
        .chain(([s, count]) =>
          fc.tuple(
            fc.constant(s),
            axisOf(s),
            fc.array(fc.integer({ min: 1, max: 4 }), { minLength: count, maxLength: count }),
          ),
        )
        .chain(([s, axis, lengths]) => {
          const at = axis < 0 ? axis + s.length : axis;
          const operands = lengths.map((length) => float(s.map((d, i) => (i === at ? length : d))));
          return fc.tuple(fc.constant(axis), fc.tuple(...operands));
        })
        .map(([axis, inputs]) => ({
          title: `concat of ${inputs.map((x) => `[${x.shape}]`)} along ${axis}`,
          inputs,
          fn: (...all) => [
            tf.concat(all, axis),
            ...tf.grads((...some) => tf.concat(some as tf.Tensor[], axis).square())(all),
          ],
          tolerance: 1e-6,
        })),
    ));

  it('concat of empty pieces, even of nothing else', () =>
    checkMany(
      fc
        .tuple(shapeOfRank(3, 2), fc.nat({ max: 2 }), fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 3 }))
        .chain(([s, axis, lengths]) =>
          fc.tuple(
            fc.constant(axis),
            fc.tuple(...lengths.map((length) => any(s.map((d, i) => (i === axis ? length : d))))),
          ),
        )
        .filter(([, inputs]) => new Set(inputs.map(({ dtype }) => dtype)).size === 1)
        .map(([axis, inputs]) => ({
          title: `concat of ${inputs.map((x) => `${x.dtype}[${x.shape}]`)} along ${axis}`,
          inputs,
          fn: (...all) => tf.concat(all, axis),
          tolerance: 'exact' as const,
        })),
      15,
    ));

  it('concat of whole numbers and truth values', () =>
    checkMany(
      shape(1, 3)
        .chain((s) => fc.tuple(any(s), axisOf(s)))
        .map(([x, axis]) => ({
          title: `twice ${x.dtype}`,
          inputs: [x],
          fn: (t) => tf.concat([t as tf.Tensor, t as tf.Tensor], axis),
        })),
      10,
    ));

  it('stack and unstack', () =>
    checkMany(
      shape(1, 4)
        .chain((s) => fc.tuple(fc.tuple(float(s), float(s), float(s)), axisOf(s)))
        .map(([inputs, axis]) => ({
          title: `stack and unstack of [${inputs[0].shape}] at ${axis}`,
          inputs,
          fn: (...all) => [
            tf.stack(all, axis),
            ...tf.unstack(all[0] as tf.Tensor, axis),
            ...tf.grads((...some) => tf.stack(some as tf.Tensor[], axis).square())(all),
            // TensorFlow.js cannot differentiate a list of one.
            ...((inputs[0].shape.at(axis) as number) > 1
              ? [tf.grad((t) => weighed(tf.unstack(t, axis)))(all[1] as tf.Tensor)]
              : []),
          ],
          tolerance: 1e-6,
        })),
      15,
    ));

  it('split, evenly and by sizes', () =>
    checkMany(
      fc
        .tuple(shape(1), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }))
        .chain(([s, sizes]) => fc.tuple(fc.constant(s), fc.constant(sizes), axisOf(s), fc.boolean()))
        .chain(([s, sizes, axis, even]) => {
          const at = axis < 0 ? axis + s.length : axis;
          const parts = even ? sizes.map(() => 2) : sizes;
          const total = parts.reduce((a, b) => a + b, 0);
          return fc.tuple(
            any(s.map((d, i) => (i === at ? total : d))),
            fc.constant(even ? sizes.length : parts),
            fc.constant(axis),
          );
        })
        .map(([x, parts, axis]) => ({
          title: `split of ${x.dtype}[${x.shape}] into ${parts} along ${axis}`,
          inputs: [x],
          fn: (t) => {
            const pieces = tf.split(t as tf.Tensor, parts, axis);
            // TensorFlow.js cannot differentiate a list of one.
            if (x.dtype !== 'float32' || pieces.length === 1) return pieces;
            return [...pieces, tf.grad((u) => weighed(tf.split(u, parts, axis)))(t as tf.Tensor)];
          },
          tolerance: 1e-6,
        })),
      15,
    ));

  it('slice', () =>
    checkMany(
      shape(1)
        .chain((s) =>
          fc.tuple(
            any(s),
            fc.tuple(...s.map((d) => fc.integer({ min: 0, max: d - 1 }))),
            fc.tuple(...s.map(() => fc.nat({ max: 99 }))),
          ),
        )
        .map(([x, begin, raw]) => {
          const size = begin.map((b, i) =>
            (raw[i] as number) % 4 === 0 ? -1 : 1 + ((raw[i] as number) % ((x.shape[i] as number) - b)),
          );
          return moving(`slice [${begin}] of size [${size}]`, x, (t) => tf.slice(t, begin, size));
        }),
    ));

  it('strided slices with masks and negative strides', () => {
    const mask = fc.nat({ max: 7 });
    return checkMany(
      shape(1, 3)
        .chain((s) =>
          fc.record({
            x: any(s),
            begin: fc.tuple(...s.map((d) => fc.integer({ min: -d, max: d - 1 }))),
            end: fc.tuple(...s.map((d) => fc.integer({ min: -d - 1, max: d + 1 }))),
            strides: fc.tuple(...s.map(() => fc.constantFrom(1, 1, 2, 3, -1, -2))),
            beginMask: mask,
            endMask: mask,
            shrinkAxisMask: fc.constantFrom(0, 0, 1, 2),
            newAxisMask: fc.constantFrom(0, 0, 1),
          }),
        )
        .filter(({ shrinkAxisMask, newAxisMask, strides }) =>
          // The reference forgets about shrunk axes where any stride is not 1.
          shrinkAxisMask === 0 ? true : newAxisMask === 0 && strides.every((step) => step === 1),
        )
        // Nor can it always make empty tensors.
        .filter(({ x, begin, end, strides, ...masks }) => {
          const { beginMask, endMask, newAxisMask, shrinkAxisMask } = masks;
          const { slice_util } = tf;
          return !slice_util
            .sliceInfo([...x.shape], begin, end, strides, beginMask, endMask, 0, newAxisMask, shrinkAxisMask)
            .finalShapeSparse.includes(0);
        })
        .map(
          ({ x, begin, end, strides, beginMask, endMask, shrinkAxisMask, newAxisMask }): Case => ({
            title: `stridedSlice of [${x.shape}] from [${begin}] to [${end}] by [${strides}], masks ${[beginMask, endMask, shrinkAxisMask, newAxisMask]}`,
            inputs: [x],
            fn: (t) =>
              tf.stridedSlice(t as tf.Tensor, begin, end, strides, beginMask, endMask, 0, newAxisMask, shrinkAxisMask),
            tolerance: 'exact',
          }),
        ),
      25,
    );
  });

  it('tile', () =>
    checkMany(
      shape(1, 4)
        .chain((s) => fc.tuple(any(s), fc.tuple(...s.map(() => fc.integer({ min: 1, max: 3 })))))
        .map(([x, reps]) => moving(`tile by [${reps}]`, x, (t) => tf.tile(t, reps))),
      15,
    ));

  it('broadcastTo', () =>
    checkMany(
      shape()
        .chain((s) =>
          fc.tuple(
            fc.constant(s),
            fc.integer({ min: 0, max: s.length }),
            fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
          ),
        )
        .chain(([s, dropped, ones]) =>
          fc.tuple(float(s.map((d, i) => (ones[i] === true ? 1 : d)).slice(dropped)), fc.constant(s)),
        )
        .map(([x, to]): Case => {
          const spread = (t: tf.Tensor): tf.Tensor => tf.broadcastTo(t, to);
          // TensorFlow.js differentiates a tile of four axes at most.
          if (to.length < 5) return moving(`broadcast to [${to}]`, x, spread);
          return { title: `broadcast of [${x.shape}] to [${to}]`, inputs: [x], fn: (t) => spread(t as tf.Tensor) };
        }),
      20,
    ));

  it('reverse', () =>
    checkMany(
      shape(1)
        .chain((s) => fc.tuple(any(s), fc.subarray(s.map((_, i) => i - (i % 2) * s.length))))
        .map(([x, axes]) => moving(`reverse along [${axes}]`, x, (t) => tf.reverse(t, axes))),
      15,
    ));

  it('of empty tensors', () =>
    agree([
      {
        title: 'empty',
        inputs: [operand([3, 4], 1)],
        fn: (x) => {
          const none = tf.slice(x as tf.Tensor, [1, 0], [2, 0]);
          return [
            none,
            none.reshape([0, 5]),
            none.expandDims(1),
            tf.concat([none, x?.slice([1, 0], [2, 2]) as tf.Tensor], 1),
          ];
        },
      },
    ]));

  it('a chain of them', () =>
    checkMany(
      shapeOfRank(4)
        .chain((s) => float(s))
        .map((x) =>
          moving('pad, transpose, reshape, tile', x, (t) =>
            tf.tile(
              tf
                .pad(t, [
                  [0, 0],
                  [1, 0],
                  [0, 2],
                  [1, 1],
                ])
                .transpose([0, 3, 2, 1])
                .reshape([x.shape[0] as number, -1]),
              [1, 2],
            ),
          ),
        ),
      10,
    ));
});

it('every kernel that moves values was compiled', () => {
  expect(missed(SHAPE)).toEqual([]);
});

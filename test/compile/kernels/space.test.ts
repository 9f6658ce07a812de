import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPACE } from '../../../src/compile/kernels/space.ts';
import { tf } from '../../../src/tf.ts';
import { type Case, missed } from '../agree.ts';
import { any, float } from '../arbitrary.ts';
import { checkMany } from '../check.ts';

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const pair = fc.tuple(between(1, 3), between(1, 3));

describe('kernels that move blocks agree with TensorFlow.js', () => {
  it('space to batch, with padding, and its gradient', () =>
    checkMany(
      fc
        .record({ n: between(1, 3), h: between(1, 3), w: between(1, 3), c: between(1, 3), block: pair, before: pair })
        .chain(({ n, h, w, c, block: [bh, bw], before: [top, left] }) => {
          // Padded sides must be whole blocks.
          const paddings = [
            [Math.min(top, bh) - 1, bh - Math.min(top, bh) + 1],
            [Math.min(left, bw) - 1, bw - Math.min(left, bw) + 1],
          ];
          return fc.tuple(float([n, h * bh, w * bw, c]), fc.constant<number[]>([bh, bw]), fc.constant(paddings));
        })
        .map(
          ([x, block, paddings]): Case => ({
            title: `spaceToBatchND of [${x.shape}] by ${block}, padded by ${JSON.stringify(paddings)}`,
            inputs: [x],
            fn: (t) => [
              tf.spaceToBatchND(t as tf.Tensor, block, paddings),
              tf.grad((u) => tf.spaceToBatchND(u, block, paddings).square())(t as tf.Tensor),
            ],
            tolerance: 1e-6,
          }),
        ),
      20,
    ));

  it('batch to space, with cropping, and its gradient', () =>
    checkMany(
      fc
        .record({ n: between(1, 3), h: between(2, 4), w: between(2, 4), c: between(1, 3), block: pair, cut: pair })
        .chain(({ n, h, w, c, block, cut: [top, left] }) => {
          const crops = [
            [top - 1, 0],
            [0, left - 1],
          ];
          return fc.tuple(float([n * block[0] * block[1], h, w, c]), fc.constant(block), fc.constant(crops));
        })
        .filter(([x, block, crops]) =>
          crops.every(
            (crop, i) => (crop[0] as number) + (crop[1] as number) < (x.shape[i + 1] as number) * (block[i] as number),
          ),
        )
        .map(
          ([x, block, crops]): Case => ({
            title: `batchToSpaceND of [${x.shape}] by ${block}, cropped by ${JSON.stringify(crops)}`,
            inputs: [x],
            fn: (t) => [
              tf.batchToSpaceND(t as tf.Tensor, block, crops),
              tf.grad((u) => tf.batchToSpaceND(u, block, crops).square())(t as tf.Tensor),
            ],
            tolerance: 1e-6,
          }),
        ),
      20,
    ));

  it('depth to space', () =>
    checkMany(
      fc
        .record({ n: between(1, 3), h: between(1, 3), w: between(1, 3), c: between(1, 3), block: between(2, 3) })
        .chain(({ n, h, w, c, block }) => fc.tuple(float([n, h, w, c * block * block]), fc.constant(block)))
        .map(
          ([x, block]): Case => ({
            title: `depthToSpace of [${x.shape}] by ${block}`,
            inputs: [x],
            fn: (t) => tf.depthToSpace(t as tf.Tensor4D, block),
            tolerance: 'exact',
          }),
        ),
      15,
    ));

  it('dilated pools, which are pools of batches of space', () =>
    checkMany(
      fc
        .tuple(between(1, 2), between(4, 8), between(4, 8), between(1, 3))
        .chain((s) => fc.tuple(float(s), fc.constantFrom<'max' | 'avg'>('max', 'avg'), between(2, 3)))
        .map(
          ([x, kind, dilation]): Case => ({
            title: `${kind} pool of [${x.shape}], dilated by ${dilation}`,
            inputs: [x],
            fn: (t) => tf.pool(t as tf.Tensor4D, 2, kind, 'valid', dilation, 1),
          }),
        ),
      15,
    ));

  it('whole numbers and truth values too', () =>
    checkMany(
      any([4, 2, 2, 1]).map(
        (x): Case => ({
          title: `batchToSpaceND of ${x.dtype}`,
          inputs: [x],
          fn: (t) => [
            tf.batchToSpaceND(
              t as tf.Tensor,
              [2, 2],
              [
                [0, 0],
                [0, 0],
              ],
            ),
          ],
          tolerance: 'exact',
        }),
      ),
      5,
    ));
});

it('every kernel that moves blocks was compiled', () => {
  expect(missed(SPACE)).toEqual([]);
});

/**
 * Shaders for whole groups of four: on WebGPU most operators have one for lengths that are multiples of four, one for others,
 * and the convolution one for multiples of three. Random shapes are too small to meet each.
 */
import { describe, it } from 'vitest';
import { tf } from '../../../src/tf.ts';
import { agree, type Case } from '../agree.ts';
import { operand } from '../arbitrary.ts';

/** Either side of three, four, and their multiples. */
const LENGTHS = [3, 4, 6, 8, 9, 30];

const pairs = LENGTHS.flatMap((a) => LENGTHS.map((b) => [a, b] as const));

type Fn = Case['fn'];

describe('on WebGPU, at lengths around multiples of three and four,', () => {
  const convolutions = [
    [1, 1],
    [3, 1],
    [3, 2],
  ].flatMap(([size, stride]) => LENGTHS.map((channels) => [size, stride, channels] as [number, number, number]));

  it.each(convolutions)(
    'convolutions of size %i and stride %i of %i channels, and their gradients',
    (size, stride, channels) =>
      agree(
        LENGTHS.map((outputs): Case => {
          const convolve = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
            tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, 'same');
          const filter = operand([size, size, channels, outputs], 2);
          return {
            title: `${channels} to ${outputs} channels`,
            inputs: [operand([2, 5, 5, channels], 1), { ...filter, arrives: outputs % 2 === 0 ? 'input' : 'constant' }],
            fn: ((x: tf.Tensor, w: tf.Tensor) => [
              convolve(x, w),
              ...tf.grads((a, b) => convolve(a as tf.Tensor, b as tf.Tensor).square())([x, w]),
            ]) as Fn,
          };
        }),
      ),
  );

  it('products of matrices', () =>
    agree(
      pairs.map(([k, n]): Case => {
        const inputs = [operand([5, k], 1), operand([k, n], 2)];
        return {
          title: `[5, ${k}] by [${k}, ${n}]`,
          inputs,
          fn: ((a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b)) as Fn,
        };
      }),
    ));

  it('sums, softmax and largest places of rows and columns', () =>
    agree(
      pairs.map(([rows, columns]): Case => {
        const fn = (x: tf.Tensor) => [x.sum(0), x.sum(1), x.mean(0), x.max(1), tf.softmax(x), x.argMax(1), x.argMax(0)];
        return { title: `of [${rows}, ${columns}]`, inputs: [operand([rows, columns], 1)], fn: fn as Fn };
      }),
    ));

  it('sums, choices and powers that broadcast', () =>
    agree(
      pairs.map(([a, b]): Case => {
        const [x, row, column] = [
          operand([2, a, b], 1, { values: { from: 0.5, to: 2 } }),
          operand([b], 2),
          operand([a, 1], 3),
        ];
        const fn = (t: tf.Tensor, r: tf.Tensor, c: tf.Tensor) => [
          t.add(r),
          t.mul(c),
          t.pow(c),
          tf.where(t.greater(r), t, c.mul(tf.onesLike(t))),
          t.maximum(r),
        ];
        return { title: `[2, ${a}, ${b}]`, inputs: [x, row, column], fn: fn as Fn };
      }),
    ));

  it('transposed, joined, cut, padded and pooled maps', () =>
    agree(
      pairs.map(([width, channels]): Case => {
        const fn = (x: tf.Tensor4D) => [
          x.transpose([3, 1, 0, 2]),
          tf.concat([x, x.neg()], 3),
          x.slice([0, 0, 1, 1], [2, 4, width - 2, channels - 2]),
          x.pad([
            [0, 0],
            [1, 0],
            [0, 1],
            [1, 2],
          ]),
          x.reverse(2),
          tf.grad((t) => tf.maxPool(t as tf.Tensor4D, 2, 2, 'valid').square())(x),
          tf.avgPool(x, 3, 1, 'same'),
        ];
        return { title: `[2, 4, ${width}, ${channels}]`, inputs: [operand([2, 4, width, channels], 1)], fn: fn as Fn };
      }),
    ));
});

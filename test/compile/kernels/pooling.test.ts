import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POOLING } from '../../../src/compile/kernels/pooling.ts';
import type { HostTensor } from '../../../src/compile/types.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, compare, missed, type Operand, reference } from '../agree.ts';
import { float, type Values } from '../arbitrary.ts';
import { check, checkMany } from '../check.ts';

type Pad = 'same' | 'valid' | number;
type Pool = (x: tf.Tensor4D) => tf.Tensor4D;

interface Geometry {
  readonly x: Operand;
  readonly size: [number, number];
  readonly strides: [number, number];
  readonly pad: Pad;
  readonly rounding: 'floor' | 'ceil' | 'round' | undefined;
}

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

/** Rounding up may leave a window without any pixel. */
const inside = ({ x, size, strides, pad, rounding }: Geometry): boolean => {
  if (typeof pad !== 'number') return true;
  const { outHeight, outWidth } = tf.backend_util.computePool2DInfo(
    [...x.shape] as [number, number, number, number],
    size,
    strides,
    1,
    pad,
    rounding,
  );
  return [outHeight, outWidth].every((out, i) => (out - 1) * (strides[i] as number) - pad < (x.shape[i + 1] as number));
};

const geometry = (values?: Values): fc.Arbitrary<Geometry> =>
  fc
    .record({
      shape: fc.tuple(between(1, 3), between(3, 9), between(3, 9), fc.constantFrom(1, 2, 3, 16)),
      size: fc.tuple(between(1, 3), between(1, 3)),
      strides: fc.tuple(between(1, 3), between(1, 3)),
      rounding: fc.constantFrom('floor' as const, 'ceil' as const, 'round' as const),
      whole: fc.boolean(),
    })
    .chain(({ shape, size: [kh, kw], strides: [sh, sw], rounding, whole }) => {
      // Where padding is a number, TensorFlow.js takes windows and strides to be square.
      const size: [number, number] = [kh, whole ? kh : kw];
      const strides: [number, number] = [sh, whole ? sh : sw];
      return fc.record({
        x: float(shape, values),
        size: fc.constant(size),
        strides: fc.constant(strides),
        pad: whole ? between(0, Math.min(...size) - 1) : fc.constantFrom('same' as const, 'valid' as const),
        rounding: fc.constant(whole ? rounding : undefined),
      });
    })
    .filter(inside);

const pools: Readonly<Record<string, (g: Geometry) => Pool>> = {
  maxPool:
    ({ size, strides, pad, rounding }) =>
    (x) =>
      tf.maxPool(x, size, strides, pad, rounding),
  avgPool:
    ({ size, strides, pad, rounding }) =>
    (x) =>
      tf.avgPool(x, size, strides, pad, rounding),
};

/** The result and its gradient, under a different weight for every output. */
const withGradient =
  (name: string) =>
  (g: Geometry): Case => {
    const pool = (pools[name] as (g: Geometry) => Pool)(g);
    const { x, size, strides, pad, rounding } = g;
    const title = `${name} of [${x.shape}] (${x.arrives}), window ${size}, strides ${strides}, pad ${pad} ${rounding}`;
    return {
      title,
      // As an input where TensorFlow.js, which computes what is constant, is wrong.
      inputs: [rounding !== undefined && x.arrives === 'constant' ? { ...x, arrives: 'input' } : x],
      fn: (t) => {
        const y = pool(t as tf.Tensor4D);
        const weights = tf
          .range(1, y.size + 1)
          .div(y.size)
          .reshape(y.shape);
        return [y, tf.grad((u) => pool(u as tf.Tensor4D).mul(weights))(t as tf.Tensor)];
      },
      // TensorFlow.js forgets in gradients how the output was rounded.
      ...(rounding === undefined ? {} : { judge: (results) => compare(title, results, slide(name, g)) }),
    };
  };

/** The pool by TensorFlow.js and its gradient by the definition. */
function slide(name: string, g: Geometry): HostTensor[] {
  const pool = (pools[name] as (g: Geometry) => Pool)(g);
  const [y] = reference({ title: name, inputs: [g.x], fn: (x) => pool(x as tf.Tensor4D) }) as [HostTensor];
  return [y, slideBack(name, g, y)];
}

/** The gradient window by window, under the weights of `withGradient`, by the definition. */
function slideBack(name: string, { x, size: [kh, kw], strides: [sh, sw], pad }: Geometry, y: HostTensor): HostTensor {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [, rows, columns] = y.shape as [number, number, number];
  const before = pad as number;
  const dx = new Float32Array(x.data.length);
  const add = (at: number, amount: number): void => {
    dx[at] = (dx[at] as number) + amount;
  };
  y.data.forEach((value, i) => {
    const [image, row, column, channel] = [
      Math.floor(i / (rows * columns * c)),
      Math.floor(i / (columns * c)) % rows,
      Math.floor(i / c) % columns,
      i % c,
    ];
    const places: number[] = [];
    for (let r = row * sh - before; r < row * sh - before + kh; r++) {
      for (let s = column * sw - before; s < column * sw - before + kw; s++) {
        if (r >= 0 && r < h && s >= 0 && s < w) places.push(((image * h + r) * w + s) * c + channel);
      }
    }
    const weight = (i + 1) / y.data.length;
    if (name === 'avgPool') for (const at of places) add(at, weight / (kh * kw));
    else add(places.find((at) => x.data[at] === value) as number, weight);
  });
  return { data: dx, shape: x.shape, dtype: 'float32' };
}

/** Whether windows overlap decides how gradients are gathered. */
const overlapping = ({ size, strides }: Geometry): boolean => size.some((k, i) => k > (strides[i] as number));

describe('pools agree with TensorFlow.js', () => {
  it.each(['maxPool', 'avgPool'])('%s and its gradient, with overlapping windows', (name) =>
    checkMany(geometry().filter(overlapping).map(withGradient(name)), 25, 8),
  );

  it.each(['maxPool', 'avgPool'])('%s and its gradient, with windows apart', (name) =>
    checkMany(
      geometry()
        .filter((g) => !overlapping(g))
        .map(withGradient(name)),
      20,
      8,
    ),
  );

  it('maxPool, where whole regions are equal: the first of them takes the gradient', () =>
    checkMany(geometry({ from: 0.5, to: 0.5 }).map(withGradient('maxPool')), 20, 8));

  it('maxPool behind a rectifier, where most is zero', () =>
    checkMany(
      geometry({ from: -3, to: 0.5 })
        .filter(({ rounding }) => rounding === undefined)
        .map((g): Case => {
          const one = withGradient('maxPool')(g);
          return { ...one, fn: (x) => one.fn(tf.relu(x as tf.Tensor)) };
        }),
      15,
      8,
    ));

  it('maxPool, its maxima found pixel by pixel where pools do not tell them, of several equal ones the first', () =>
    check(fc.array(geometry({ from: -0.5, to: 0.5 }), { minLength: 1, maxLength: 6 }), (some) =>
      agree(some.map(withGradient('maxPool')), { provider: 'cpu', block: 0, poolIndices: false }),
    ));

  it('global average', () =>
    checkMany(
      geometry().map(
        ({ x }): Case => ({
          title: `global average of [${x.shape}]`,
          inputs: [x],
          fn: (t) => [tf.mean(t as tf.Tensor, [1, 2]), tf.grad((u) => tf.mean(u, [1, 2]).square())(t as tf.Tensor)],
          scale: 3,
        }),
      ),
      8,
    ));

  it('one window over everything', () =>
    checkMany(
      geometry().map(({ x }): Case => {
        const size = x.shape.slice(1, 3) as [number, number];
        const g = { x, size, strides: size, pad: 'valid', rounding: undefined } as const;
        return withGradient(x.shape[0] === 1 ? 'maxPool' : 'avgPool')(g);
      }),
      8,
    ));
});

it('every pool was compiled', () => {
  expect(missed(POOLING)).toEqual([]);
});

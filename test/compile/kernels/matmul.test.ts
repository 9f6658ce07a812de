import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MATMUL } from '../../../src/compile/kernels/matmul.ts';
import { tf } from '../../../src/tf.ts';
import { type Case, missed, type Operand } from '../agree.ts';
import { float, int } from '../arbitrary.ts';
import { checkMany } from '../check.ts';

interface Product {
  readonly a: Operand;
  readonly b: Operand;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const length = fc.integer({ min: 1, max: 6 });

/** Two matrices, or stacks of them that broadcast, that fit. */
const product = (stacks: fc.Arbitrary<readonly [number[], number[]]>): fc.Arbitrary<Product> =>
  fc
    .tuple(length, length, length, fc.boolean(), fc.boolean(), stacks)
    .chain(([m, k, n, transposeA, transposeB, [left, right]]) =>
      fc.record({
        a: float([...left, ...(transposeA ? [k, m] : [m, k])]),
        b: float([...right, ...(transposeB ? [n, k] : [k, n])]),
        transposeA: fc.constant(transposeA),
        transposeB: fc.constant(transposeB),
      }),
    );

const STACKS = fc.constantFrom<readonly [number[], number[]]>(
  [[], []],
  [[1], [1]],
  [[3], [3]],
  [[3], [1]],
  [[1], [3]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 3],
    [1, 1],
  ],
);
const FLAT = fc.constant([[], []] as const).map(() => [[], []] as [number[], number[]]);
/** Stacks that TensorFlow.js can differentiate: it does not sum over what was broadcast. */
const PLAIN = fc.constantFrom<readonly [number[], number[]]>(
  [[], []],
  [[3], [3]],
  [
    [2, 2],
    [2, 2],
  ],
);

const title = ({ a, b, transposeA, transposeB }: Product): string =>
  `[${a.shape}]${transposeA ? 'ᵀ' : ''} · [${b.shape}]${transposeB ? 'ᵀ' : ''}`;

describe('matrix products agree with TensorFlow.js', () => {
  it('of matrices and stacks, turned or not', () =>
    checkMany(
      product(STACKS).map(
        (p): Case => ({
          title: title(p),
          inputs: [p.a, p.b],
          fn: (a, b) => tf.matMul(a as tf.Tensor, b as tf.Tensor, p.transposeA, p.transposeB),
          scale: 50,
        }),
      ),
    ));

  it('in their gradients', () =>
    checkMany(
      product(PLAIN).map(
        (p): Case => ({
          title: `gradients of ${title(p)}`,
          inputs: [p.a, p.b],
          fn: (a, b) =>
            tf.grads((x, y) => tf.matMul(x as tf.Tensor, y as tf.Tensor, p.transposeA, p.transposeB).square())([
              a,
              b,
            ] as tf.Tensor[]),
          scale: 500,
        }),
      ),
    ));

  it('of whole numbers', () =>
    checkMany(
      fc
        .tuple(length, length, length)
        .chain(([m, k, n]) => fc.tuple(int([m, k]), int([n, k])))
        .map(
          ([a, b]): Case => ({
            title: `[${a.shape}] · [${b.shape}]ᵀ`,
            inputs: [a, b],
            fn: (x, y) => tf.matMul(x as tf.Tensor, y as tf.Tensor, false, true),
          }),
        ),
      5,
    ));

  it('with vectors, outer and inner', () =>
    checkMany(
      fc
        .tuple(length, length)
        .chain(([n, m]) => fc.tuple(float([n]), float([n]), float([m]), float([m, n])))
        .map(
          ([a, b, c, d]): Case => ({
            title: `products of vectors of ${a.shape} and ${c.shape}`,
            inputs: [a, b, c, d],
            fn: (x, y, z, matrix) => [
              tf.dot(x as tf.Tensor, y as tf.Tensor),
              tf.outerProduct(x as tf.Tensor1D, z as tf.Tensor1D),
              tf.dot(matrix as tf.Tensor, x as tf.Tensor),
            ],
            scale: 50,
          }),
        ),
      15,
    ));

  it('fused with a bias and an activation', () => {
    const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const;
    return checkMany(
      fc
        .tuple(product(FLAT), fc.constantFrom(...activations), fc.boolean())
        .chain(([p, activation, wide]) => {
          const n = (p.transposeB ? p.b.shape[0] : p.b.shape[1]) as number;
          const m = (p.transposeA ? p.a.shape[1] : p.a.shape[0]) as number;
          return fc.tuple(fc.constant(p), fc.constant(activation), float([n]), float(wide ? [m, n] : [n]));
        })
        .map(
          ([p, activation, bias, slope]): Case => ({
            title: `${title(p)} + [${bias.shape}] through ${activation}`,
            inputs: [p.a, p.b, bias, slope],
            fn: (a, b, c, d) => {
              const inputs = { a: a as tf.Tensor, b: b as tf.Tensor, bias: c as tf.Tensor };
              const { transposeA, transposeB } = p;
              return tf
                .engine()
                .runKernel(
                  '_FusedMatMul',
                  activation === 'prelu' ? { ...inputs, preluActivationWeights: d as tf.Tensor } : inputs,
                  { transposeA, transposeB, activation, leakyreluAlpha: 0.3 },
                ) as tf.Tensor;
            },
            scale: 50,
          }),
        ),
      20,
    );
  });
});

it('every matrix product was compiled', () => {
  expect(missed(MATMUL)).toEqual([]);
});

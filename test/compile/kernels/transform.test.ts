import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRANSFORM } from '../../../src/compile/kernels/transform.ts';
import { tf } from '../../../src/tf.ts';
import { agree, type Case, compare, missed, type Operand, reference } from '../agree.ts';
import { float, operand } from '../arbitrary.ts';
import { checkMany } from '../check.ts';

const between = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

type Mode = 'constant' | 'reflect' | 'wrap' | 'nearest';

/** Image i of a tensor, alone. */
const alone = (x: Operand, i: number): Operand => {
  const size = x.data.length / (x.shape[0] as number);
  return { ...x, data: x.data.slice(i * size, (i + 1) * size), shape: [1, ...x.shape.slice(1)] };
};

interface Sampling {
  readonly interpolation: 'nearest' | 'bilinear';
  readonly mode: Mode;
  readonly fill: number;
  readonly size: [number, number] | undefined;
}

const transformed = (image: Operand, numbers: Operand, { interpolation, mode, fill, size }: Sampling): Case => {
  const apply: Case['fn'] = (x, t) =>
    tf.image.transform(x as tf.Tensor4D, t as tf.Tensor2D, interpolation, mode, fill, size);
  const title = `${interpolation} transform of [${image.shape}], ${mode}, to ${size}`;
  return {
    title,
    // Not constants: TensorFlow.js, which computes those, transforms the first image alone.
    inputs: [image, numbers].map((x) => ({ ...x, arrives: 'input' })),
    fn: apply,
    judge: ([result]) => {
      const images = image.shape[0] as number;
      for (let i = 0; i < images; i++) {
        const own = numbers.shape[0] === 1 ? numbers : alone(numbers, i);
        const expected = reference({ title, inputs: [alone(image, i), own], fn: apply });
        compare(`image ${i} of ${title}`, [alone(result as Operand, i)], expected, { tolerance: 1e-4, scale: 3 });
      }
    },
  };
};

describe('projective transforms agree with TensorFlow.js, image by image', () => {
  it('with any interpolation and any edge', () =>
    checkMany(
      fc
        .tuple(between(1, 3), between(1, 7), between(1, 7), between(1, 3), fc.boolean())
        .chain(([n, h, w, c, shared]) =>
          fc.tuple(
            float([n, h, w, c]),
            float([shared ? 1 : n, 8], { from: -1, to: 1 }),
            fc.record({
              interpolation: fc.constantFrom('nearest' as const, 'bilinear' as const),
              mode: fc.constantFrom<Mode>('constant', 'reflect', 'wrap', 'nearest'),
              fill: fc.constantFrom(0, 0.5),
              size: fc.option(fc.tuple(between(1, 6), between(1, 6)), { nil: undefined }),
            }),
          ),
        )
        .map(([image, numbers, sampling]) => {
          // Near the identity: a little perspective, shifts of a few pixels.
          const scale = [0.5, 0.5, 4, 0.5, 0.5, 4, 0.02, 0.02];
          const identity = [1, 0, 0, 0, 1, 0, 0, 0];
          const data = numbers.data.map((v, i) => v * (scale[i % 8] as number) + (identity[i % 8] as number));
          return transformed(image, { ...numbers, data }, sampling);
        }),
      15,
      5,
    ));

  it('that change nothing, exactly', () =>
    agree(
      (['nearest', 'bilinear'] as const).map((interpolation): Case => {
        const image = operand([2, 5, 4, 3], 1);
        return {
          title: `${interpolation} identity`,
          inputs: [image, { data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0), shape: [1, 8], dtype: 'float32' }],
          fn: (x, t) => tf.image.transform(x as tf.Tensor4D, t as tf.Tensor2D, interpolation),
          judge: ([result]) => expect(result?.data).toEqual(image.data),
        };
      }),
    ));

  it('that shift by whole pixels, each image its own way', () =>
    agree([
      {
        title: 'shift',
        inputs: [
          { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 1, 3, 1], dtype: 'float32' },
          { data: Float32Array.of(1, 0, 1, 0, 1, 0, 0, 0, 1, 0, -1, 0, 1, 0, 0, 0), shape: [2, 8], dtype: 'float32' },
        ],
        fn: (x, t) => tf.image.transform(x as tf.Tensor4D, t as tf.Tensor2D, 'nearest', 'constant', 9),
        judge: ([result]) => expect(Array.from(result?.data ?? [])).toEqual([2, 3, 9, 9, 4, 5]),
      },
    ]));
});

it('every transform was compiled', () => {
  expect(missed(TRANSFORM)).toEqual([]);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMAGE } from '../../../src/compile/kernels/image.ts';
import type { HostTensor } from '../../../src/compile/types.ts';
import { tf } from '../../../src/tf.ts';
import { type Case, missed, type Operand } from '../agree.ts';
import { float, int, seed, shapeOfRank } from '../arbitrary.ts';
import { checkMany } from '../check.ts';

type Resize = (
  x: tf.Tensor4D,
  size: [number, number],
  alignCorners?: boolean,
  halfPixelCenters?: boolean,
) => tf.Tensor4D;

interface Sampling {
  readonly x: Operand;
  readonly size: [number, number];
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

const side = fc.integer({ min: 1, max: 9 });

const sampling: fc.Arbitrary<Sampling> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), side, side, fc.integer({ min: 1, max: 4 }))
  .chain((s) =>
    fc.record({
      x: float(s),
      size: fc.tuple(side, side),
      mode: fc.constantFrom(
        { alignCorners: false, halfPixelCenters: false },
        { alignCorners: true, halfPixelCenters: false },
        { alignCorners: false, halfPixelCenters: true },
      ),
    }),
  )
  .map(({ mode, ...rest }) => ({ ...rest, ...mode }));

const title = (what: string, { x, size, alignCorners, halfPixelCenters }: Sampling): string =>
  `${what} of [${x.shape}] to ${size}${alignCorners ? ', corners aligned' : ''}${halfPixelCenters ? ', half pixel centers' : ''}`;

const inner = (a: HostTensor, b: HostTensor): number =>
  Array.from(a.data).reduce((sum, v, i) => sum + v * (b.data[i] as number), 0);

describe.each([
  ['resizeBilinear', tf.image.resizeBilinear as Resize],
  ['resizeNearestNeighbor', tf.image.resizeNearestNeighbor as Resize],
])('%s', (name, resize) => {
  it('agrees with TensorFlow.js', () =>
    checkMany(
      sampling.map(
        (s): Case => ({
          title: title(name, s),
          inputs: [s.x],
          fn: (x) => resize(x as tf.Tensor4D, s.size, s.alignCorners, s.halfPixelCenters),
        }),
      ),
      25,
      8,
    ));

  /*
   * Not against TensorFlow.js: its cpu gradients ignore half pixel centers, forget all but the first image of a batch, and
   * give square images for oblong ones. Resizing is linear, x ↦ Ax, so its gradient must satisfy ⟨Ax, y⟩ = ⟨x, Aᵀy⟩.
   */
  it('has the gradient that linearity demands', () =>
    checkMany(
      fc
        .tuple(sampling, seed)
        .chain(([s]) => fc.tuple(fc.constant(s), float([s.x.shape[0] as number, ...s.size, s.x.shape[3] as number])))
        .map(([s, y]): Case => {
          const apply = (x: tf.Tensor): tf.Tensor =>
            resize(x as tf.Tensor4D, s.size, s.alignCorners, s.halfPixelCenters);
          return {
            title: title(`gradient of ${name}`, s),
            // As inputs: TensorFlow.js would compute what is constant.
            inputs: [s.x, y].map((operand) => ({ ...operand, arrives: 'input' as const })),
            fn: (x, dy) => [apply(x as tf.Tensor), tf.grad(apply)(x as tf.Tensor, dy as tf.Tensor)],
            judge: ([ax, aty], [x, dy]) => {
              expect(aty?.shape).toEqual(x?.shape);
              const [left, right] = [
                inner(ax as HostTensor, dy as HostTensor),
                inner(x as HostTensor, aty as HostTensor),
              ];
              const scale = Array.from((ax as HostTensor).data).reduce(
                (sum, v, i) => sum + Math.abs(v * (dy?.data[i] as number)),
                1e-3,
              );
              expect(Math.abs(left - right) / scale, title(name, s)).toBeLessThan(1e-5);
            },
          };
        }),
      25,
      8,
    ));
});

it('the nearest neighbour of a whole number is one', () =>
  checkMany(
    int([2, 3, 4, 1]).map(
      (x): Case => ({
        title: 'resizeNearestNeighbor of int32',
        inputs: [x],
        fn: (t) => tf.image.resizeNearestNeighbor(t as tf.Tensor4D, [5, 2]),
      }),
    ),
    3,
  ));

describe('flips agree with TensorFlow.js', () => {
  it('left to right', () =>
    checkMany(
      shapeOfRank(4)
        .chain((s) => float(s))
        .map(
          (x): Case => ({
            title: `flip of [${x.shape}]`,
            inputs: [x],
            fn: (t) => tf.image.flipLeftRight(t as tf.Tensor4D),
            tolerance: 'exact',
          }),
        ),
      10,
    ));
});

it('every kernel on images was compiled', () => {
  expect(missed(IMAGE)).toEqual([]);
});

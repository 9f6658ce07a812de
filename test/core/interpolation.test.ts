import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { interpolation, resample } from '../../src/core/interpolation.ts';
import { tf } from '../../src/tf.ts';
import { anySeed, anyShape, randomTensor, rows } from './batches.ts';
import { inner, minus, normOf } from './reference.ts';

/** One number for each image. */
const column = (values: readonly number[]): tf.Tensor3D => tf.tensor3d([...values], [values.length, 1, 1]);

/** Images, and for each a size and a place on a canvas, in sides that fit. */
const anyCase = fc.tuple(anyShape, anySeed, fc.integer({ min: 0, max: 6 })).chain(([shape, seed, more]) => {
  const canvas = [shape[1] + more, shape[2] + more] as const;
  const placed = (onto: number) =>
    fc
      .integer({ min: 1, max: onto })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: onto - size })));
  const each = fc.tuple(placed(canvas[0]), placed(canvas[1]));
  return fc
    .array(each, { minLength: shape[0], maxLength: shape[0] })
    .map((places) => ({ shape, seed, canvas, places }));
});
type Case = typeof anyCase extends fc.Arbitrary<infer T> ? T : never;

const matrices = ({ shape, canvas, places }: Case) =>
  ([0, 1] as const).map((axis) =>
    interpolation({
      ...{ from: shape[axis + 1] as number, onto: canvas[axis] },
      size: column(places.map((place) => place[axis][0])),
      offset: column(places.map((place) => place[axis][1])),
    }),
  ) as [tf.Tensor3D, tf.Tensor3D];

const holds = (check: (drawn: Case) => void): void =>
  fc.assert(
    fc.property(anyCase, (drawn) => {
      tf.tidy(() => check(drawn));
    }),
  );

beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('interpolation', () => {
  it('is a bilinear resize with half-pixel centres, padded with zeros, another one for each image', () => {
    holds((drawn) => {
      const { shape, seed, canvas, places } = drawn;
      const x = randomTensor(shape, seed, 'normal');
      const found = rows(resample(x, ...matrices(drawn)));
      places.forEach(([[height, top], [width, left]], i) => {
        const image = x.slice(i, 1) as tf.Tensor4D;
        const resized = tf.image.resizeBilinear(image, [height, width], false, true);
        const padded = resized.pad([
          [0, 0],
          [top, canvas[0] - top - height],
          [left, canvas[1] - left - width],
          [0, 0],
        ]);
        expect(normOf('Linf', minus(found[i] as Float32Array, padded.dataSync()))).toBeLessThan(1e-5);
      });
    });
  });

  it('at full size is the identity, bit for bit', () => {
    holds(({ shape, seed }) => {
      const x = randomTensor(shape, seed, 'normal');
      const places = Array.from({ length: shape[0] }, () => [
        [shape[1], 0],
        [shape[2], 0],
      ]) as Case['places'];
      const same = matrices({ shape, seed, canvas: [shape[1], shape[2]], places });
      expect(resample(x, ...same).dataSync()).toEqual(x.dataSync());
    });
  });

  it('transposed carries gradients back: ⟨y, A x⟩ = ⟨Aᵀ y, x⟩', () => {
    holds((drawn) => {
      const { shape, seed, canvas } = drawn;
      const x = randomTensor(shape, seed, 'normal');
      const y = randomTensor([shape[0], ...canvas, shape[3]], seed + 1, 'normal');
      const [a, b] = matrices(drawn);
      const back = resample(y, a.transpose([0, 2, 1]), b.transpose([0, 2, 1]));
      const [left, right] = [inner(y.dataSync(), resample(x, a, b).dataSync()), inner(back.dataSync(), x.dataSync())];
      expect(Math.abs(left - right)).toBeLessThan(1e-3);
    });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import { ball } from '../../src/core/ball.ts';
import { crossEntropy, dlr, margin, targetedDlr } from '../../src/core/losses.ts';
import { NORMS, type Norm } from '../../src/core/threat-model.ts';
import { tf } from '../../src/tf.ts';
import { radii, randomImages, randomTensor, rows, type Shape4D, seededNoise } from '../core/batches.ts';
import { minus, normOf } from '../core/reference.ts';

const SHAPE: Shape4D = [3, 7, 5, 3];

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const values = (tensor: tf.Tensor): Float32Array => tensor.dataSync() as Float32Array;

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => normOf('Linf', minus(a, b));

describe.each(NORMS)('compiled geometry in %s', (norm: Norm) => {
  const geometry = (clean: tf.Tensor, x: tf.Tensor, gradient: tf.Tensor, epsilon: tf.Tensor) => {
    const noise = seededNoise(SHAPE[0], 4);
    const { project, steepest, spread, randomPoint } = ball(norm, {
      clean: clean as tf.Tensor4D,
      epsilon: epsilon as tf.Tensor4D,
      noise,
    });
    return {
      projected: project(x as tf.Tensor4D),
      steepest: steepest(gradient as tf.Tensor4D),
      spread: spread(gradient as tf.Tensor4D, clean as tf.Tensor4D, 0.1),
      random: randomPoint(),
    };
  };
  const spec = { shape: SHAPE };

  it('is the eager one to float32', async () => {
    const clean = randomImages(SHAPE, 1);
    const x = values(clean.add(randomTensor(SHAPE, 2, 'normal')));
    const both = [compile, eager].map((prepare) =>
      prepare(geometry, [spec, spec, spec, { shape: [SHAPE[0], 1, 1, 1] }]),
    );
    const [compiled, reference] = await Promise.all(both);
    for (const [epsilon, scale] of [
      [0.3, 1],
      [2, 1e-30],
      [0, 0],
    ] as const) {
      const gradient = values(randomTensor(SHAPE, 3, 'normal').mul(scale));
      const args = [values(clean), x, gradient, values(radii(SHAPE[0], epsilon))] as const;
      const [ours, theirs] = [await compiled?.(...args), await reference?.(...args)];
      for (const part of ['projected', 'steepest', 'spread', 'random'] as const) {
        const [a, b] = [ours?.[part].data, theirs?.[part].data] as [Float32Array, Float32Array];
        expect(largestDifference(a, b), part).toBeLessThan(2e-6);
      }
    }
    await compiled?.release();
  });
});

describe('compiled projection of large images', () => {
  it.each([
    ['L2', 3],
    ['L2', 0.5],
    ['L1', 12],
  ] as const)(
    'reaches the edge of the %s ball of radius %f, though sums are long and float32',
    async (norm, epsilon) => {
      const images = 4;
      const shape: Shape4D = [images, 224, 224, 3];
      // Grey, so that no clipping brings a point back inside.
      const clean = randomImages(shape, 5).mul(0.2).add(0.4) as tf.Tensor4D;
      const noise = seededNoise(images, 0);
      const project = await compile(
        (from: tf.Tensor, x: tf.Tensor) =>
          ball(norm, { clean: from as tf.Tensor4D, epsilon: radii(images, epsilon), noise }).project(x as tf.Tensor4D),
        [{ shape }, { shape }],
      );
      const projected = await project(values(clean), values(clean.add(randomTensor(shape, 3, 'uniform'))));
      await project.release();
      rows(tf.tensor(projected.data, shape)).forEach((row, i) => {
        const distance = normOf(norm, minus(row, rows(clean)[i] as Float32Array));
        expect(distance / epsilon - 1).toBeLessThan(1e-6);
        // In L1 one threshold moves thousands of pixels, each by a rounding error at a time.
        expect(distance / epsilon - 1).toBeGreaterThan(norm === 'L1' ? -2e-5 : -1e-6);
      });
    },
  );
});

describe('compiled losses', () => {
  const LOGITS = [
    [3, -1, 0.5, 2, 9],
    [-40, -3, -2, -20, -10],
    [1, 1, 1, 1, 1],
    [20, 0, -1, 0.5, 0],
    [90, 0, -1, 0.5, 0],
    [0, 70, 0, 3, 4],
  ];
  const labels = (): tf.Tensor1D => tf.tensor1d([0, 3, 1, 0, 0, 2], 'int32');
  const targets = (): tf.Tensor1D => tf.tensor1d([1, 2, 4, 3, 2, 0], 'int32');

  it.each<[string, (z: tf.Tensor2D) => tf.Tensor1D]>([
    ['cross-entropy', (z) => crossEntropy(z, labels())],
    ['margin', (z) => margin(z, labels())],
    ['DLR', (z) => dlr(z, labels())],
    ['targeted DLR', (z) => targetedDlr(z, labels(), targets())],
  ])('%s has the eager value and gradient, relative to its size', async (_, loss) => {
    const both = (z: tf.Tensor) => ({
      value: loss(z as tf.Tensor2D),
      gradient: tf.grad((x) => loss(x as tf.Tensor2D).sum())(z),
    });
    const specs = [{ shape: [6, 5] }] as const;
    const [compiled, reference] = [await compile(both, specs), await eager(both, specs)];
    const z = Float32Array.from(LOGITS.flat());
    const [ours, theirs] = [await compiled(z), await reference(z)];
    await compiled.release();
    for (const part of ['value', 'gradient'] as const) {
      ours[part].data.forEach((value, i) => {
        const exact = theirs[part].data[i] as number;
        // Relative, since a gradient of 1e-39 counts as much as one of 1: its sign is what an attack follows.
        expect(Math.abs(value - exact), `${part} ${i}`).toBeLessThanOrEqual(1e-4 * Math.abs(exact));
      });
    }
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import pgd from '../../../attacks/pgd.ts';
import { compile } from '../../../src/compile/compile.ts';
import { eager } from '../../../src/compile/eager.ts';
import type { Prepare } from '../../../src/compile/types.ts';
import { backwardPass } from '../../../src/core/wrappers/backward-pass.ts';
import { preprocess } from '../../../src/core/wrappers/preprocess.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { tf } from '../../../src/tf.ts';
import {
  contender,
  harness,
  INPUT,
  plan,
  planned,
  randomValues,
  smallClassifier,
  smallDataset,
} from '../../evaluate/fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const IMAGES = 3;
const SHAPE: [number, number, number, number] = [IMAGES, ...INPUT];
const size = SHAPE.reduce((a, b) => a * b, 1);
const pixels = randomValues(size, 5, 'uniform');

/** Eight levels of grey: flat almost everywhere. */
const quantise = (x: tf.Tensor4D): tf.Tensor4D => x.mul(7).round().div(7);
/** A smooth function that is neither of the two. */
const smooth = (x: tf.Tensor4D): tf.Tensor4D => x.square().add(x.mul(0.5)) as tf.Tensor4D;
/** Weighs every pixel differently, so that no two of a gradient's entries can be mistaken for each other. */
const weigh = (y: tf.Tensor): tf.Scalar =>
  y
    .mul(tf.tensor(randomValues(size, 6), SHAPE))
    .square()
    .sum();

const valuesOf = (make: () => tf.Tensor): number[] => Array.from(tf.tidy(() => make().dataSync()));
const images = (): tf.Tensor4D => tf.tensor4d(pixels.slice(), SHAPE);
const gradientOf = (f: (x: tf.Tensor4D) => tf.Tensor): number[] =>
  valuesOf(() => tf.grad((x) => f(x as tf.Tensor4D))(images()));

/** ∇ of `weigh` at `forward(x)`, carried back through `backward` by TensorFlow.js's own rules. */
const expected = (backward: (x: tf.Tensor4D) => tf.Tensor): number[] =>
  valuesOf(() => tf.grad((x) => backward(x as tf.Tensor4D))(images(), tf.grad(weigh)(quantise(images()))));

describe('a backward pass of its own', () => {
  it('leaves the value exactly that of the real function', () => {
    const real = valuesOf(() => quantise(images()));
    expect(valuesOf(() => backwardPass({ forward: quantise })(images()))).toEqual(real);
    expect(valuesOf(() => backwardPass({ forward: quantise, backward: smooth })(images()))).toEqual(real);
    expect(real).not.toEqual(valuesOf(images));
  });

  it('has the gradient of its stand-in, taken where the real function went', () => {
    const through = backwardPass({ forward: quantise, backward: smooth });
    expect(gradientOf((x) => weigh(through(x)))).toEqual(expected(smooth));
    expect(gradientOf((x) => weigh(quantise(x))).every((entry) => entry === 0)).toBe(true);
  });

  it('stands in with the identity where nothing else is said', () => {
    const through = backwardPass({ forward: quantise });
    expect(gradientOf((x) => weigh(through(x)))).toEqual(expected((x) => x.mul(1)));
  });

  it('never asks the real function for a gradient, even one that TensorFlow.js does not know', () => {
    const rank = (x: tf.Tensor4D): tf.Tensor4D => x.argMax(3).toFloat().expandDims(3).add(x.mul(0)) as tf.Tensor4D;
    const through = backwardPass({ forward: (x) => rank(x), backward: smooth });
    expect(gradientOf((x) => through(x).sum())).toEqual(gradientOf((x) => smooth(x).sum()));
  });

  it('stands in for logits as well as for images', () => {
    const network = smallClassifier();
    const hard = (x: tf.Tensor4D): tf.Tensor2D => tf.oneHot(network.logits(x).argMax(1), 4).toFloat() as tf.Tensor2D;
    const through = backwardPass<tf.Tensor2D>({ forward: hard, backward: (x) => network.logits(x) });
    expect(valuesOf(() => through(images()))).toEqual(valuesOf(() => hard(images())));
    const first = (logits: tf.Tensor2D): tf.Tensor => logits.slice([0, 0], [-1, 1]).sum();
    expect(gradientOf((x) => first(through(x)))).toEqual(gradientOf((x) => first(network.logits(x))));
  });

  it('compiles to what it does as it stands', async () => {
    const through = backwardPass({ forward: quantise, backward: smooth });
    const both = async (prepare: Prepare) => {
      const call = await prepare(
        (x: tf.Tensor) => ({
          value: through(x as tf.Tensor4D),
          gradient: tf.grad((z) => weigh(through(z as tf.Tensor4D)))(x),
        }),
        [{ shape: SHAPE }] as const,
      );
      const { value, gradient } = await call(pixels);
      await call.release();
      return { value: Array.from(value.data), gradient: Array.from(gradient.data) };
    };
    const [compiled, reference] = [await both(compile), await both(eager)];
    compiled.value.forEach((entry, i) => {
      expect(entry).toBeCloseTo(reference.value[i] as number, 6);
    });
    compiled.gradient.forEach((entry, i) => {
      expect(entry).toBeCloseTo(reference.gradient[i] as number, 4);
    });
  });

  it('whose stand-in has another shape is refused, with both', () => {
    const through = backwardPass({ forward: quantise, backward: (x) => x.mean([3], true).tile([1, 1, 1, 2]) });
    expect(() => tf.tidy(() => through(images()))).toThrow(
      'forward gives [3, 4, 5, 1] and backward [3, 4, 5, 2]: give a backward whose result has the shape',
    );
  });

  it('leaves no tensor behind', () => {
    const x = images();
    const before = tf.memory().numTensors;
    gradientOf((z) => weigh(backwardPass({ forward: quantise, backward: smooth })(z)));
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});

describe('PGD against a network behind a quantisation', () => {
  it('stays where it begins without a stand-in for its gradient, and succeeds with one', async () => {
    const network = smallClassifier();
    const masked = { ...preprocess(network, quantise), name: 'masked' };
    const adaptive = { ...preprocess(network, backwardPass({ forward: quantise })), name: 'adaptive' };
    const { cells } = await runExperiment(
      plan([planned(pgd, { steps: 10, random: false })], {
        dataset: smallDataset(20, masked),
        contenders: [contender(masked), contender(adaptive)],
        epsilons: [0.2],
      }),
      harness(),
    );
    // The same network, the same images: only what the attack may follow differs.
    expect(cells.map(({ cleanCorrect }) => cleanCorrect)).toEqual([18, 18]);
    const [without, withIt] = cells.map(({ robustCorrect }) => robustCorrect);
    expect(without).toBe(18);
    expect(withIt).toBeLessThan(6);
  });
});

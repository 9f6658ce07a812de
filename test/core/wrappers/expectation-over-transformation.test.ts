import { beforeAll, describe, expect, it } from 'vitest';
import pgd from '../../../attacks/pgd.ts';
import { compile } from '../../../src/compile/compile.ts';
import { eager } from '../../../src/compile/eager.ts';
import type { Prepare } from '../../../src/compile/types.ts';
import type { Noise } from '../../../src/core/ball.ts';
import {
  expectationOverTransformation,
  type RandomTransform,
} from '../../../src/core/wrappers/expectation-over-transformation.ts';
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

const network = smallClassifier();
const size = INPUT.reduce((a, b) => a * b, 1);
const IMAGES = 3;
const pixels = randomValues(IMAGES * size, 5, 'uniform');
const images = (count = IMAGES): tf.Tensor4D => tf.tensor4d(pixels.slice(0, count * size), [count, ...INPUT]);
const valuesOf = (make: () => tf.Tensor): number[] => Array.from(tf.tidy(() => make().dataSync()));

/** Brightness, by one draw for the image, and noise, by one for each pixel. */
const shaken = (x: tf.Tensor4D, noise: Noise): tf.Tensor4D =>
  x.mul(noise([1, 1, 1], 'uniform').add(0.5)).add(noise(INPUT, 'normal').mul(0.3)) as tf.Tensor4D;
const random = (draws: number, seed = 4): RandomTransform => ({ transform: shaken, draws, seed });

/** The classifier after each of its draws alone, by way of the noise that the transform was given. */
function drawByDraw(draws: number): ((x: tf.Tensor4D) => tf.Tensor2D)[] {
  const given: tf.Tensor[][] = [];
  const watching: RandomTransform = {
    ...random(draws),
    transform: (x, noise) => {
      const own: tf.Tensor[] = [];
      given.push(own);
      return shaken(x, (shape, distribution) => {
        const drawn = tf.keep(noise(shape, distribution));
        own.push(drawn);
        return drawn;
      });
    },
  };
  valuesOf(() => expectationOverTransformation(network, watching).logits(images()));
  return given.map((own) => (x) => {
    const left = [...own];
    return network.logits(shaken(x, () => left.shift() as tf.Tensor));
  });
}

const close = (found: readonly number[], expected: readonly number[], digits = 5): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i] as number, digits);
  });
};

const mean = (rows: readonly (readonly number[])[]): number[] =>
  (rows[0] ?? []).map((_, i) => rows.reduce((sum, row) => sum + (row[i] as number), 0) / rows.length);

describe('the expectation over a random transform', () => {
  const averaged = expectationOverTransformation(network, random(5));

  it('is the mean of the logits of its draws', () => {
    const each = drawByDraw(5).map((logits) => valuesOf(() => logits(images())));
    expect(new Set(each.map(String)).size).toBe(5);
    close(
      valuesOf(() => averaged.logits(images())),
      mean(each),
    );
  });

  it('has the mean of the gradients of its draws', () => {
    const weights = randomValues(IMAGES * 4, 8);
    const gradientOf = (logits: (x: tf.Tensor4D) => tf.Tensor2D): number[] =>
      valuesOf(() =>
        tf.grad((x) =>
          logits(x as tf.Tensor4D)
            .mul(tf.tensor(weights, [IMAGES, 4]))
            .sum(),
        )(images()),
      );
    const each = drawByDraw(5).map(gradientOf);
    expect(new Set(each.map(String)).size).toBe(5);
    close(gradientOf(averaged.logits), mean(each));
  });

  it('is a function of the image and the seed: the same again, other with another seed', () => {
    const logits = (seed: number) =>
      valuesOf(() => expectationOverTransformation(network, random(2, seed)).logits(images()));
    expect(logits(4)).toEqual(logits(4));
    expect(logits(4)).not.toEqual(logits(5));
  });

  it('keeps every image on its own: a batch is its images one by one', () => {
    const together = valuesOf(() => averaged.logits(images()));
    const alone = Array.from({ length: IMAGES }, (_, i) =>
      valuesOf(() => averaged.logits(images().slice([i, 0, 0, 0], [1, -1, -1, -1]))),
    ).flat();
    close(together, alone);
  });

  it('of more draws begins with the fewer', () => {
    const one = valuesOf(() => expectationOverTransformation(network, random(1)).logits(images()));
    expect(valuesOf(() => (drawByDraw(5)[0] as (x: tf.Tensor4D) => tf.Tensor2D)(images()))).toEqual(one);
  });

  it('compiles to what it does as it stands, gradient and all', async () => {
    const both = async (prepare: Prepare) => {
      const call = await prepare(
        (x: tf.Tensor) => ({
          logits: averaged.logits(x as tf.Tensor4D),
          gradient: tf.grad((z) =>
            averaged
              .logits(z as tf.Tensor4D)
              .square()
              .sum(),
          )(x),
        }),
        [{ shape: [IMAGES, ...INPUT] }] as const,
      );
      const { logits, gradient } = await call(pixels);
      await call.release();
      return [...logits.data, ...gradient.data];
    };
    close(await both(compile), await both(eager), 4);
  });

  it.each([0, -1, 1.5, Number.NaN])('of %d draws is refused', (draws) => {
    expect(() => expectationOverTransformation(network, random(draws))).toThrow(/draws: give a whole number above 0/);
  });

  it.each([-1, 0.5, 2 ** 32])('of seed %d is refused', (seed) => {
    expect(() => expectationOverTransformation(network, random(1, seed))).toThrow(/the seed of the draws is/);
  });
});

describe('a randomised network', () => {
  /** Half of the pixels are dropped, others at every draw. */
  const dropping: RandomTransform['transform'] = (x, noise) =>
    x.sub(0.5).mul(noise(INPUT, 'uniform').greater(0.5).toFloat()).mul(2).add(0.5) as tf.Tensor4D;

  it('falls further under an attack over many of its draws than over one, judged by draws that neither has seen', async () => {
    const over = (name: string, draws: number, seed: number) =>
      contender({ ...expectationOverTransformation(network, { transform: dropping, draws, seed }), name });
    const fresh = Array.from({ length: 3 }, (_, i) => over(`fresh-${i}`, 1, 100 + i));
    const { transfer = [] } = await runExperiment(
      plan([planned(pgd, { steps: 6, random: false })], {
        ...{ contenders: [over('once', 1, 1), over('often', 16, 1), ...fresh], dataset: smallDataset(30), images: 30 },
        ...{ epsilons: [0.1], transferEpsilon: 0.1 },
      }),
      harness(),
    );
    const fooled = (name: string): number => {
      const tried = transfer.filter(({ source, target }) => source.arch === name && /^fresh/.test(target.arch));
      expect(tried).toHaveLength(3);
      return mean(tried.map((one) => [one.fooled / one.images]))[0] as number;
    };
    expect(fooled('often')).toBeGreaterThan(fooled('once') + 0.1);
  });
});

import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { noiseFrom, noiseSpecs } from '../../src/core/draws.ts';
import { tf } from '../../src/tf.ts';
import { augment, augmentationOf, augmentations, type ChosenAugmentation } from '../../src/train/augment.ts';
import { drawNoise, rehearse } from '../../src/train/noise.ts';
import { referenceOf, STATISTICS } from './augmentation-reference.ts';

beforeAll(() => tf.setBackend('cpu'));

const [HEIGHT, WIDTH, CHANNELS] = [7, 9, 3] as const;
const SIZE = HEIGHT * WIDTH * CHANNELS;
const IDS = ['a', 'b', 'c', 'd'];

const names = augmentations.map(({ name }) => name);
/** Beside the defaults, values that make every branch of the definition matter. */
const CHOICES: readonly ChosenAugmentation[] = [
  ...names.map((name) => augmentationOf(name)),
  augmentationOf('translation', { pixels: 0 }),
  augmentationOf('translation', { pixels: 20 }),
  augmentationOf('reflection', { share: 1 }),
  augmentationOf('scale-jitter', { least: 0.3, most: 0.5 }),
  augmentationOf('scale-jitter', { least: 1, most: 3 }),
  augmentationOf('colour', { deviation: 20 }),
];
const inWords = ({ augmentation, params }: ChosenAugmentation): string =>
  `${augmentation.name} ${JSON.stringify(params)}`;
const CASES = CHOICES.map((chosen) => [inWords(chosen), chosen] as const);

/** Any images, but the same for the same ids. */
const imagesOf = (ids: readonly string[]): Float32Array =>
  drawNoise([{ shape: [HEIGHT, WIDTH, CHANNELS], distribution: 'uniform' }], { seed: 7, pass: 0, stream: 9, ids })
    .draw0 as Float32Array;
const tensorOf = (values: Float32Array, images: number): tf.Tensor4D =>
  tf.tensor4d(values, [images, HEIGHT, WIDTH, CHANNELS]);
const imageOf = (values: Float32Array, index: number): Float32Array => values.slice(index * SIZE, (index + 1) * SIZE);

const requestsOf = (chosen: readonly ChosenAugmentation[]) =>
  rehearse(1, (noise) => augment(chosen, STATISTICS)(tf.zeros([1, HEIGHT, WIDTH, CHANNELS]), noise));

/** What becomes of the images with these ids. */
function applied(chosen: readonly ChosenAugmentation[], ids: readonly string[], seed = 0, pass = 0): Float32Array {
  const requests = requestsOf(chosen);
  const draws = drawNoise(requests, { seed, pass, stream: 0, ids });
  return tf.tidy(() => {
    const tensors = requests.map(({ shape }, i) => [
      `draw${i}`,
      tf.tensor(draws[`draw${i}`] as Float32Array, [ids.length, ...shape]),
    ]);
    const noise = noiseFrom('the test', requests, Object.fromEntries(tensors));
    return augment(chosen, STATISTICS)(tensorOf(imagesOf(ids), ids.length), noise).dataSync<'float32'>();
  });
}

function expectNear(found: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  const farthest = found.reduce((far, value, i) => Math.max(far, Math.abs(value - (expected[i] as number))), 0);
  expect(farthest).toBeLessThanOrEqual(tolerance);
}

describe('the augmentations', () => {
  it('are called by their files, with a title, a paper and described parameters', () => {
    const files = readdirSync(new URL('../../src/train/augmentations', import.meta.url));
    expect(files.map((file) => file.replace(/\.ts$/, '')).sort()).toEqual([...names].sort());
    for (const { title, paper, params } of augmentations) {
      expect(title).not.toBe('');
      expect(paper).toMatch(/^https:/);
      for (const { label } of Object.values(params)) expect(label).not.toBe('');
    }
  });

  it('are refused by a wrong name and by wrong parameters, each in a line that says what is accepted', () => {
    expect(() => augmentationOf('reflexion')).toThrow(/unknown augmentation "reflexion"\. Did you mean "reflection"\?/);
    expect(() => augmentationOf('translation', { pixels: 1.5 })).toThrow(/--translation\.pixels is 1\.5; it must be/);
    expect(() => augmentationOf('translation', { pixel: 1 })).toThrow(/Did you mean "pixels"/);
    expect(() => augmentationOf('scale-jitter', { least: 2, most: 1 })).toThrow(
      /--scale-jitter\.least is 2; it must not be above most, which is 1/,
    );
  });
});

describe.each(CASES)('%s', (_words, chosen) => {
  it('does what its definition says, image by image', () => {
    const found = applied([chosen], IDS);
    const requests = requestsOf([chosen]);
    const before = imagesOf(IDS);
    const reference = referenceOf(chosen);
    IDS.forEach((id, i) => {
      const draws = drawNoise(requests, { seed: 0, pass: 0, stream: 0, ids: [id] });
      const image = { values: imageOf(before, i), height: HEIGHT, width: WIDTH, channels: CHANNELS };
      expectNear(imageOf(found, i), reference.apply(image, Object.values(draws)), reference.tolerance);
    });
  });

  it('changes an image in the same way whatever other images stand beside it, in any order', () => {
    const alone = new Map(IDS.map((id) => [id, applied([chosen], [id])]));
    const law = fc.property(fc.shuffledSubarray(IDS, { minLength: 1 }), (ids) => {
      const together = applied([chosen], ids);
      ids.forEach((id, i) => {
        expect(imageOf(together, i)).toEqual(alone.get(id));
      });
    });
    fc.assert(law, { numRuns: 10 });
  });

  it('keeps images images', () => {
    const law = fc.property(fc.nat(1000), (seed) => {
      for (const value of applied([chosen], IDS, seed)) expect(value >= 0 && value <= 1).toBe(true);
    });
    fc.assert(law, { numRuns: 10 });
  });
});

describe('randomness', () => {
  it.each(names)('of %s is the seed’s, and another in another epoch', (name) => {
    const chosen = [augmentationOf(name)];
    expect(applied(chosen, IDS, 1, 0)).toEqual(applied(chosen, IDS, 1, 0));
    expect(applied(chosen, IDS, 1, 0)).not.toEqual(applied(chosen, IDS, 2, 0));
    expect(applied(chosen, IDS, 1, 0)).not.toEqual(applied(chosen, IDS, 1, 1));
  });
});

describe('translation', () => {
  it('draws every shift up to the farthest, and no other, also at the ends of its noise', () => {
    const { augmentation, params } = augmentationOf('translation', { pixels: 2 });
    const dot = tf.oneHot([24], 49).toFloat().reshape([1, 7, 7, 1]) as tf.Tensor4D;
    const shifts = [2 ** -24, 0.3, 0.5, 0.7, 1 - 2 ** -24].map((draw) => {
      const moved = augmentation.apply(dot, { params, noise: () => tf.fill([1, 1, 1], draw) });
      const at = moved.flatten().argMax().dataSync()[0] as number;
      return [Math.floor(at / 7) - 3, (at % 7) - 3];
    });
    expect(shifts).toEqual([2, 1, 0, -1, -2].map((shift) => [shift, shift]));
  });
});

describe('several augmentations', () => {
  const all = names.map((name) => augmentationOf(name));

  it('are applied one after the other', () => {
    const [first, second] = [augmentationOf('translation'), augmentationOf('reflection', { share: 1 })];
    const shifted = applied([first], IDS);
    const mirrored = tf.tidy(() => tensorOf(shifted, IDS.length).reverse(2).dataSync<'float32'>());
    expect(applied([first, second], IDS)).toEqual(mirrored);
  });

  it('compile, each and all together, to what they are eagerly', async () => {
    const each = [...all.map((one) => [one]), all];
    const requests = each.map(requestsOf);
    const specs = requests.map((some) => noiseSpecs(some, IDS.length));
    const run = await compile(
      (x, ...draws) =>
        Object.fromEntries(
          each.map((some, i) => {
            const noise = noiseFrom('the test', requests[i] ?? [], draws[i] ?? {});
            return [`r${i}`, augment(some, STATISTICS)(x as tf.Tensor4D, noise)];
          }),
        ),
      [{ shape: [IDS.length, HEIGHT, WIDTH, CHANNELS] }, ...specs],
    );
    const draws = requests.map((some) => drawNoise(some, { seed: 0, pass: 0, stream: 0, ids: IDS }));
    const results = await run(imagesOf(IDS), ...draws);
    await run.release();
    each.forEach((some, i) => {
      const isExact = some.every(({ augmentation: { name } }) => name === 'translation' || name === 'reflection');
      expectNear(results[`r${i}`]?.data as Float32Array, applied(some, IDS), isExact ? 0 : 1e-6);
    });
  });
});

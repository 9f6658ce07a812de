import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import type { Classifier, ImageShape } from '../../src/core/classifier.ts';
import { type Defended, isWrapper, type Seeds, type Wrapper } from '../../src/core/defense.ts';
import { resolveParams } from '../../src/core/params.ts';
import { loadDefenses } from '../../src/discover/modules.ts';
import { tf } from '../../src/tf.ts';
import { randomValues } from '../evaluate/fixtures.ts';
import { scene } from './pictures.ts';

beforeAll(() => tf.setBackend('cpu'));

const wrappers = [...(await loadDefenses()).values()].filter(isWrapper);
const SEEDS: Seeds = { answer: 11, adversary: 22 };
/** Small enough for the reference backend, and no multiple of anything. */
const SHAPES: readonly ImageShape[] = [
  [9, 11, 1],
  [9, 11, 3],
];
const IMAGES = 3;

/** A classifier whose logits are the pixels that it is given: it shows what a defense makes of images. */
const mirror = (input: ImageShape): Classifier => ({
  name: 'mirror',
  classes: input.reduce((a, b) => a * b, 1),
  input,
  logits: (x) => x.reshape([x.shape[0], -1]) as tf.Tensor2D,
});

const params = (defense: Wrapper, given = {}) => resolveParams(defense.name, defense.params, given);
const behind = (defense: Wrapper, input: ImageShape, given = {}, seeds = SEEDS): Defended =>
  defense.wrap(mirror(input), params(defense, given), seeds);
const pictures = (input: ImageShape): Float32Array =>
  Float32Array.from(Array.from({ length: IMAGES }, (_, i) => [...scene(input, i)]).flat());
const tensor = (pixels: Float32Array, input: ImageShape): tf.Tensor4D =>
  tf.tensor4d(pixels, [pixels.length / input.reduce((a, b) => a * b, 1), ...input]);
const seen = ({ logits }: Classifier, pixels: Float32Array, input: ImageShape): number[] =>
  Array.from(tf.tidy(() => logits(tensor(pixels, input)).dataSync()));
const both = ({ classifier, adversary = classifier }: Defended): readonly Classifier[] => [classifier, adversary];

const cases = wrappers.flatMap((defense) => SHAPES.map((input) => [defense.name, input, defense] as const));

describe.each(cases)('%s of images of %j', (_, input, defense) => {
  const pixels = pictures(input);
  const size = pixels.length / IMAGES;

  it('makes images of the same shape in [0,1] of images, and says what an adversary follows', () => {
    for (const one of both(behind(defense, input))) {
      const made = seen(one, pixels, input);
      expect(made).toHaveLength(pixels.length);
      expect(Math.min(...made)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...made)).toBeLessThanOrEqual(1);
    }
    expect(defense.adversary).toMatch(/\w/);
  });

  it('changes images, and the same way whenever it is asked', () => {
    const once = seen(behind(defense, input).classifier, pixels, input);
    expect(once).toEqual(seen(behind(defense, input).classifier, pixels, input));
    expect(once.some((value, i) => Math.abs(value - (pixels[i] as number)) > 1e-3)).toBe(true);
  });

  it('keeps every image on its own', () => {
    const { classifier } = behind(defense, input);
    const together = seen(classifier, pixels, input);
    const alone = Array.from({ length: IMAGES }, (_, i) =>
      seen(classifier, pixels.slice(i * size, (i + 1) * size), input),
    ).flat();
    together.forEach((value, i) => {
      expect(value).toBeCloseTo(alone[i] as number, 6);
    });
  });

  it('compiles to what it does as it stands, and so does the gradient that the adversary follows', async () => {
    const { classifier, adversary = classifier } = behind(defense, input, cheap(defense));
    const weights = randomValues(pixels.length, 9);
    const run = async (prepare: Prepare): Promise<{ made: number[]; gradient: number[] }> => {
      const call = await prepare(
        (x: tf.Tensor) => ({
          made: classifier.logits(x as tf.Tensor4D),
          gradient: tf.grad((z) =>
            adversary
              .logits(z as tf.Tensor4D)
              .mul(tf.tensor2d(weights, [IMAGES, size]))
              .sum(),
          )(x),
        }),
        [{ shape: [IMAGES, ...input] }] as const,
      );
      const { made, gradient } = await call(pixels);
      await call.release();
      return { made: [...made.data], gradient: [...gradient.data] };
    };
    const [compiled, reference] = [await run(compile), await run(eager)];
    compiled.made.forEach((value, i) => {
      expect(value).toBeCloseTo(reference.made[i] as number, 4);
    });
    compiled.gradient.forEach((value, i) => {
      expect(value).toBeCloseTo(reference.gradient[i] as number, 3);
    });
    // It leads somewhere, at every image.
    for (let i = 0; i < IMAGES; i++) {
      const own = reference.gradient.slice(i * size, (i + 1) * size);
      expect(own.every(Number.isFinite)).toBe(true);
      expect(own.some((entry) => entry !== 0)).toBe(true);
    }
  });

  it('changes little where its parameters say so', () => {
    const made = seen(behind(defense, input, gentle(defense)).classifier, pixels, input);
    const apart = made.map((value, i) => Math.abs(value - (pixels[i] as number)));
    expect(apart.reduce((sum, d) => sum + d, 0) / apart.length).toBeLessThan(2 / 255);
  });

  it('draws what it draws from the seed, and shows its adversary other draws than those that answer', () => {
    const { classifier, adversary } = behind(defense, input);
    const other = behind(defense, input, {}, { answer: 12, adversary: 22 });
    if (adversary === undefined) {
      expect(seen(other.classifier, pixels, input)).toEqual(seen(classifier, pixels, input));
      return;
    }
    expect(seen(other.classifier, pixels, input)).not.toEqual(seen(classifier, pixels, input));
    expect(seen(other.adversary ?? classifier, pixels, input)).toEqual(seen(adversary, pixels, input));
    expect(seen(adversary, pixels, input)).not.toEqual(seen(classifier, pixels, input));
  });
});

/** Parameters under which an image stays almost as it is. A defense that has none must say so here. */
function gentle({ name }: Wrapper): Readonly<Record<string, unknown>> {
  const all: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'bit-depth': { bits: 8 },
    jpeg: { quality: 100, subsampling: '4:4:4' },
    median: { size: 1 },
    'random-resize-pad': { canvas: 1 },
    'total-variation': { weight: 0, keep: 1 },
  };
  return all[name] ?? {};
}

/** Parameters that make a test short. */
function cheap({ name }: Wrapper): Readonly<Record<string, unknown>> {
  if (name === 'total-variation') return { iterations: 4, draws: 2, answers: 1 };
  return name === 'random-resize-pad' ? { draws: 2, answers: 1 } : {};
}

describe('bit depth reduction', () => {
  const bitDepth = wrappers.find(({ name }) => name === 'bit-depth') as Wrapper;
  const input: ImageShape = [2, 4, 1];

  it.each([1, 2, 3, 8])('to %i bits takes every pixel to its nearest level', (bits) => {
    const pixels = scene(input);
    const most = 2 ** bits - 1;
    const levels = Array.from({ length: most + 1 }, (_, i) => i / most);
    const made = seen(behind(bitDepth, input, { bits }).classifier, pixels, input);
    made.forEach((value, i) => {
      const apart = levels.map((level) => Math.abs(level - (pixels[i] as number)));
      expect(value).toBeCloseTo(levels[apart.indexOf(Math.min(...apart))] as number, 6);
    });
  });

  it('lets the gradient pass as if it were not there', () => {
    const { classifier } = behind(bitDepth, input, { bits: 1 });
    const gradient = tf.tidy(() =>
      tf
        .grad((x) => classifier.logits(x as tf.Tensor4D).sum())(tensor(scene(input), input))
        .dataSync(),
    );
    expect([...gradient]).toEqual(new Array(8).fill(1));
  });
});

describe('random resizing and padding', () => {
  const resizing = wrappers.find(({ name }) => name === 'random-resize-pad') as Wrapper;
  const input: ImageShape = [20, 20, 1];

  it('shows the picture a little smaller, at a place of its own, with zeros around', () => {
    const white = new Float32Array(400).fill(1);
    for (const answer of [1, 2, 3, 4]) {
      const { classifier } = behind(resizing, input, { canvas: 1.5, answers: 1 }, { answer, adversary: 0 });
      const made = seen(classifier, white, input);
      const area = made.reduce((sum, value) => sum + value, 0) / 400;
      // Sides from 1/1.5 of the image's to just below them.
      expect(area).toBeGreaterThan(1 / 1.5 ** 2 - 0.03);
      expect(area).toBeLessThan(1);
      expect(made.filter((value) => value > 0.999).length).toBeGreaterThan(400 / 1.5 ** 2 - 60);
    }
  });
});

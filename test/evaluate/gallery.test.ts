import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { galleryRadius, stretch, topClasses } from '../../src/evaluate/gallery.ts';
import { encodePng } from '../../src/evaluate/png.ts';
import { tf } from '../../src/tf.ts';
import { customAttack, harness, INPUT, plan, planned, randomValues } from './fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const decode = async (png: string): Promise<number[]> => [
  ...(await sharp(Buffer.from(png, 'base64')).extractChannel(0).raw().toBuffer()),
];

describe('the gallery', () => {
  it('shows the first attacked images for every attack, failures included, and says so', async () => {
    const { gallery, provenance } = await runExperiment(
      plan([planned(fgsm), planned(pgd, { steps: 3 })], { galleryRows: 12, epsilons: [0, 0.05, 0.1] }),
      harness(),
    );
    // Image 9 is misclassified clean, so it is not attacked.
    const expected = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12].map((i) => `toy/test/${i}`);
    for (const name of ['fgsm', 'pgd']) {
      expect(gallery.filter(({ attack }) => attack === name).map(({ id }) => id)).toEqual(expected);
    }
    expect(new Set(gallery.map(({ fooled }) => fooled)).size).toBe(2);
    expect(new Set(gallery.map(({ epsilon }) => epsilon))).toEqual(new Set([0.1]));
    expect(provenance.galleryRule).toMatch(/first 12 images.*at one radius, whether the attack succeeded or not/);
    for (const item of gallery) {
      expect(item).toMatchObject({ width: INPUT[1], height: INPUT[0] });
      expect(item.cleanTop[0]?.label).toBe(item.label.label);
      expect(item.adversarialTop[0]?.label !== item.label.label).toBe(item.fooled);
      const [clean, adversarial] = [await decode(item.cleanPng), await decode(item.adversarialPng)];
      const moved = clean.map((value, i) => Math.abs(value - (adversarial[i] as number)));
      expect(Math.max(...moved)).toBeGreaterThan(20);
      expect(Math.max(...moved)).toBeLessThanOrEqual(26);
      const stretched = await decode(item.perturbationPng);
      expect([0, 255]).toContain(stretched.find((value) => value === 0 || value === 255));
    }
  });

  it('survives images that are no images', async () => {
    const broken = customAttack({ step: ({ x }) => ({ x: x.mul(Number.NaN) as tf.Tensor4D }) });
    const { gallery } = await runExperiment(plan([planned(broken)], { galleryRows: 1 }), harness());
    expect(gallery).toMatchObject([{ fooled: false, fooled8bit: false, adversarialTop: [], perturbationScale: 1 }]);
  });

  it('is empty where none is wanted', async () => {
    const run = await runExperiment(plan([planned(fgsm)], { galleryRows: 0 }), harness());
    expect(run.gallery).toEqual([]);
  });

  it('shows the stated radius, or else the upper median of the positive ones', () => {
    expect(galleryRadius({ epsilons: [0, 0.1, 0.2, 0.3, 0.4] })).toBe(3);
    expect(galleryRadius({ epsilons: [0.3, 0, 0.1] })).toBe(0);
    expect(galleryRadius({ epsilons: [0] })).toBe(0);
    expect(galleryRadius({ epsilons: [0, 0.1, 0.2], galleryEpsilon: 0.1 })).toBe(1);
  });
});

describe('the likeliest classes', () => {
  it('are in falling order, at most five, and add up to at most one', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: -80, max: 80, noNaN: true }), { minLength: 2, maxLength: 12 }), (logits) => {
        const top = topClasses(Float32Array.from(logits), ['zero', 'one']);
        const confidences = top.map(({ confidence }) => confidence);
        expect(top).toHaveLength(Math.min(5, logits.length));
        expect(confidences).toEqual(confidences.toSorted((a, b) => b - a));
        expect(confidences.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1 + 1e-12);
        expect(logits[top[0]?.label ?? -1]).toBe(Math.max(...logits));
      }),
    );
  });

  it('are named, and by their number where they have no name', () => {
    expect(topClasses(Float32Array.of(-200, 3, 3), ['cat', 'dog'])).toEqual([
      { label: 1, name: 'dog', confidence: 0.5 },
      { label: 2, name: '2', confidence: 0.5 },
      { label: 0, name: 'cat', confidence: Math.exp(-203) / 2 },
    ]);
  });
});

describe('pictures', () => {
  it('stretch a perturbation to the full range, around grey', () => {
    const clean = randomValues(20, 1, 'uniform');
    const { scale, picture } = stretch(
      clean.map((value, i) => value + (i === 3 ? -0.02 : 0.01)),
      clean,
    );
    expect(scale).toBeCloseTo(25, 2);
    expect(picture[3]).toBeCloseTo(0, 5);
    expect(picture[0]).toBeCloseTo(0.75, 2);
    expect(stretch(clean, clean)).toEqual({ scale: 1, picture: clean.map(() => 0.5) });
  });

  it('keep every byte, in one channel and three', async () => {
    for (const channels of [1, 3]) {
      const bytes = Uint8Array.from({ length: 4 * 2 * channels }, (_, i) => (i * 37) % 256);
      const png = await encodePng(
        Float32Array.from(bytes, (byte) => byte / 255),
        [4, 2, channels],
      );
      const { data, info } = await sharp(png)
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width: 2, height: 4, channels });
      expect([...data]).toEqual([...bytes]);
    }
    await expect(encodePng(new Float32Array(8), [2, 2, 2])).rejects.toThrow(/2 channels/);
  });
});

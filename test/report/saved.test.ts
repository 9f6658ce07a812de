import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { type SavedImages, savedImages } from '../../src/core/saved.ts';
import { renderReport } from '../../src/report/page.ts';
import { textOf } from './markup.ts';
import { sampleRun } from './sample-run.ts';

const file = (epsilon: number, given: Partial<SavedImages> = {}): SavedImages =>
  savedImages.parse({
    ...{ arch: 'vgg16', training: 'standard', attack: 'pgd', norm: 'Linf', epsilon, kept: 'all', rounding: 'nearest' },
    ...{ images: 1000, fooled: 900, fooledRounded: 890, outsideRounded: 2, sha256: 'a'.repeat(64) },
    ...{ file: `images/vgg16/standard/pgd/${epsilon}.safetensors`, pictures: `images/vgg16/standard/pgd/${epsilon}` },
    ...given,
  });

let run: Run;
beforeAll(async () => {
  run = await sampleRun({ galleryRows: 0, epsilons: [0.3], attacks: ['pgd'] });
});

const sectionOf = async (saved: readonly SavedImages[]): Promise<string> =>
  /<section id="saved"[\s\S]*?(?=<section id="provenance")/u.exec(
    await renderReport({ ...run, saved: [...saved] }),
  )?.[0] ?? '';

describe('the section on saved images', () => {
  test('says how many there are, what their rounding did, where they lie, and how they are checked', async () => {
    const words = textOf(await sectionOf([file(0.1), file(0.3, { images: 200, fooled: 200, fooledRounded: 150 })]));
    expect(words).toContain('1,200 images were kept as float32 and as PNG, 1,100 of them adversarial.');
    expect(words).toContain('rounded to the nearest level, 1,040 of those are adversarial still.');
    expect(words).toContain('4 of these PNGs have left the ball through the rounding; the float32 images have not.');
    expect(words).toContain('They lie in images/ beside this page');
    expect(words).toContain('gibbon verify .');
  });

  test('does not speak of PNGs that have left the ball where none has', async () => {
    const words = textOf(await sectionOf([file(0.1, { rounding: 'inward', outsideRounded: 0 })]));
    expect(words).toContain('rounded towards the clean image, 890 of those are adversarial still.');
    expect(words).toContain('None of these PNGs has left its ball.');
  });

  test('lists every file with its network, attack, radius and counts', async () => {
    const rows = (await sectionOf([file(0.1), file(8 / 255, { file: 'images/a/b/c/d' })])).match(
      /<tr><th scope="row".*?<\/tr>/gu,
    );
    expect(rows?.map((row) => textOf(row.replaceAll('</td>', ' ').replaceAll('</th>', ' ')).trim())).toEqual([
      'VGG-16 standard pgd L∞ 0.1 1,000 900 890 2 images/vgg16/standard/pgd/0.1.safetensors',
      'VGG-16 standard pgd L∞ 8/255 1,000 900 890 2 images/a/b/c/d',
    ]);
  });

  test('says so where there was nothing to keep, and is not there where nobody asked', async () => {
    expect(textOf(await sectionOf([]))).toContain('Adversarial images were to be kept, and there were none.');
    expect(await renderReport(run)).not.toContain('id="saved"');
  });
});

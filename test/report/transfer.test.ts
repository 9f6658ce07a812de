import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { renderReport } from '../../src/report/page.ts';
import { tagsOf, textOf } from './markup.ts';
import { sampleRun } from './sample-run.ts';

let run: Run;
let page: string;
beforeAll(async () => {
  run = await sampleRun({ architectures: ['vgg16', 'alexnet'], galleryRows: 0, images: 200, transfer: true });
  page = await renderReport(run);
});

const tablesOf = (shown: string): string[] => shown.match(/<table class="transfer[\s\S]*?<\/table>/gu) ?? [];

/** The rows of a table, each as the words of its boxes. */
const rowsOf = (table: string): string[][] =>
  (table.match(/<tr>[\s\S]*?<\/tr>/gu) ?? []).map((row) =>
    [...row.matchAll(/<(td|th)[^>]*>([\s\S]*?)<\/\1>/gu)].map(([, , words = '']) => textOf(words)),
  );

describe('the matrix of transfer', () => {
  test('has the networks that images were made against down, those that they were tried on across', () => {
    const [table = '', ...others] = tablesOf(page);
    expect(others).toEqual([]);
    expect(rowsOf(table)).toMatchInlineSnapshot(`
      [
        [
          "Made against",
          "tried on",
        ],
        [
          "VGG-16standard training",
          "VGG-16adversarial training",
          "AlexNetstandard training",
          "AlexNetadversarial training",
        ],
        [
          "VGG-16standard training",
          "0.0 %0.0–1.9itself, 200 images",
          "25.0 %19.5–31.4200 images",
          "50.0 %43.1–56.9200 images",
          "75.0 %68.6–80.5200 images",
        ],
        [
          "VGG-16adversarial training",
          "25.0 %19.5–31.4200 images",
          "0.0 %0.0–1.9itself, 200 images",
          "25.0 %19.5–31.4200 images",
          "50.0 %43.1–56.9200 images",
        ],
        [
          "AlexNetstandard training",
          "50.0 %43.1–56.9200 images",
          "25.0 %19.5–31.4200 images",
          "0.0 %0.0–1.9itself, 200 images",
          "25.0 %19.5–31.4200 images",
        ],
        [
          "AlexNetadversarial training",
          "75.0 %68.6–80.5200 images",
          "50.0 %43.1–56.9200 images",
          "25.0 %19.5–31.4200 images",
          "–",
        ],
      ]
    `);
    expect(textOf(table)).toContain('pgd, L∞ ε = 0.3');
  });

  test('holds every pair, where it belongs, with its interval', () => {
    const [, , ...rows] = rowsOf(tablesOf(page)[0] ?? '');
    const networks = ['vgg16', 'alexnet'].flatMap((arch) =>
      ['standard', 'adversarial'].map((training) => ({ arch, training })),
    );
    for (const [r, source] of networks.entries()) {
      for (const [c, target] of networks.entries()) {
        const of = (one: object) => JSON.stringify(one);
        const entry = run.transfer?.find((e) => of(e.source) === of(source) && of(e.target) === of(target));
        const share = entry === undefined ? '–' : `${(100 * entry.accuracy).toFixed(1)} %`;
        expect(rows[r]?.[c + 1]).toContain(share);
        if (entry !== undefined) expect(rows[r]?.[c + 1]).toContain(`${(100 * entry.wilson95[0]).toFixed(1)}–`);
      }
    }
  });

  test('has a table for every attack and radius', async () => {
    const transfer = run.transfer?.flatMap((entry) => [entry, { ...entry, attack: 'fgsm' }]) ?? [];
    const [first = '', second = ''] = tablesOf(await renderReport({ ...run, transfer }));
    expect(textOf(first)).toContain('pgd, L∞');
    expect(textOf(second)).toContain('fgsm, L∞');
    expect(rowsOf(first).slice(2)).toEqual(rowsOf(second).slice(2));
  });

  test('shades boxes by what they say already in words, and says what the shades mean', () => {
    const shades = tagsOf(tablesOf(page)[0] ?? '').flatMap(({ name, attributes }) =>
      name === 'td' ? [/shade-(\d)/.exec(attributes.class ?? '')?.[1] ?? 'none'] : [],
    );
    // Four networks: on the diagonal nothing withstands, next to it a quarter, then half, then three quarters.
    expect(shades).toEqual(['5', '4', '3', '1', '4', '5', '4', '3', '3', '4', '5', '4', '1', '3', '4', 'none']);
    expect(textOf(page)).toContain('the stronger the shade of a box, the fewer withstand');
  });

  test('heads every row and column for those who cannot see it', () => {
    const tags = tagsOf(tablesOf(page)[0] ?? '');
    const scopes = tags.flatMap(({ name, attributes }) => (name === 'th' ? [attributes.scope] : []));
    expect(scopes).toEqual(['col', 'colgroup', ...Array(4).fill('col'), ...Array(4).fill('row')]);
    expect(tags.some(({ attributes }) => attributes['aria-label'] === 'no image in common')).toBe(true);
  });

  test('states the rule of the run', () => expect(textOf(page)).toContain('What both networks know.'));

  test('lets no name get out of its place', async () => {
    const evil = '</td><script>window.broken=1</script>';
    const transfer = run.transfer?.map((entry) => ({ ...entry, attack: evil, source: { arch: evil, training: evil } }));
    const shown = await renderReport({ ...run, transfer });
    expect(tagsOf(shown).filter(({ name }) => name === 'script')).toHaveLength(3);
    expect(textOf(tablesOf(shown)[0] ?? '')).toContain(evil);
  });

  test('is left out where nothing was tried', async () => {
    const { transfer: _, ...without } = run;
    expect(await renderReport(without)).not.toContain('id="transfer"');
    expect(await renderReport({ ...run, transfer: [] })).not.toContain('id="transfer"');
  });
});

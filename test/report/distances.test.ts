import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Distances, Run } from '../../src/core/run.ts';
import { spreadOf, survival } from '../../src/report/distance-spread.ts';
import { renderReport } from '../../src/report/page.ts';
import { tagsOf, textOf } from './markup.ts';
import { sampleRun } from './sample-run.ts';

const entry = (values: Distances['values'], given: Partial<Distances> = {}): Distances => ({
  ...{ arch: 'vgg16', training: 'standard', attack: 'deepfool', norm: 'L2', median: null, values },
  ...given,
});

const someDistances = fc.array(fc.option(fc.double({ min: 0, max: 9, noNaN: true })), { minLength: 1, maxLength: 30 });

describe('the spread of distances', () => {
  test('is that of the images, those without an adversarial one being farther than all', () => {
    expect(spreadOf(entry([0, 1, 2, 3, 4], { median: 2 }))).toEqual({
      ...{ images: 5, found: 5, lower: 1, median: 2, upper: 3 },
    });
    expect(spreadOf(entry([4, 1, 3, 2], { median: 2.5 }))).toMatchObject({ lower: 1.75, upper: 3.25 });
    expect(spreadOf(entry([1, null, 2, null, 3], { median: 3 }))).toMatchObject({ found: 3, lower: 2, upper: null });
    expect(spreadOf(entry([null]))).toEqual({ images: 1, found: 0, lower: null, median: null, upper: null });
  });

  test('has quartiles on either side of the median that a run states', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 1 }), (values) => {
        const sorted = values.toSorted((a, b) => a - b);
        const last = values.length - 1;
        const median = ((sorted[Math.floor(last / 2)] ?? 0) + (sorted[Math.ceil(last / 2)] ?? 0)) / 2;
        const { lower, upper } = spreadOf(entry(values, { median }));
        expect(lower).toBeLessThanOrEqual(median);
        expect(upper).toBeGreaterThanOrEqual(median);
      }),
    );
  });
});

describe('what is left against the distance', () => {
  test('is the share of images that are farther, at every radius that a column shows', () => {
    fc.assert(
      fc.property(someDistances, fc.integer({ min: 1, max: 40 }), (values, resolution) => {
        const largest = 9;
        const steps = survival(entry(values), largest, resolution);
        for (let column = 0; column <= resolution; column++) {
          const radius = (largest * column) / resolution;
          const left = values.filter((value) => value === null || value > radius).length / values.length;
          expect(steps.findLast((step) => step.radius <= radius)?.share).toBeCloseTo(left, 12);
        }
      }),
    );
  });

  test('ends with those alone for which nothing was found, however arithmetic rounds the largest distance', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 9, noNaN: true }), (farthest) => {
        const steps = survival(entry([0, null, farthest, null]), farthest, 320);
        expect(steps.at(-1)?.share).toBe(0.5);
      }),
      { numRuns: 1000 },
    );
  });

  test('only falls, by one step a column at most', () => {
    fc.assert(
      fc.property(someDistances, (values) => {
        const steps = survival(entry(values), 9, 10);
        expect(steps.length).toBeLessThanOrEqual(11);
        for (const [i, { radius, share }] of steps.slice(1).entries()) {
          expect(radius).toBeGreaterThan(steps[i]?.radius ?? Number.NaN);
          expect(share).toBeLessThan(steps[i]?.share ?? Number.NaN);
        }
      }),
    );
  });
});

let run: Run;
let page: string;
beforeAll(async () => {
  run = await sampleRun({ architectures: ['vgg16', 'alexnet'], epsilons: [0.3], galleryRows: 0, distances: true });
  page = await renderReport(run);
});

/** From its beginning to the next heading. */
const section = (shown: string): string =>
  shown.slice(shown.indexOf('<section id="distances"')).split('<h2 id=').slice(0, 2).join('');

/** The rows of the table, each as the words of its boxes. */
const rowsOf = (shown: string): string[][] =>
  (section(shown).match(/<tr>[\s\S]*?<\/tr>/gu) ?? []).map((row) =>
    [...row.matchAll(/<(td|th)[^>]*>([\s\S]*?)<\/\1>/gu)].map(([, , words = '']) => textOf(words)),
  );

describe('the section on distances', () => {
  test('has a row for every network and attack of minimum norm', () => {
    expect(rowsOf(page)).toMatchInlineSnapshot(`
      [
        [
          "Architecture",
          "Training",
          "Attack",
          "Images",
          "Found",
          "Lower quartile",
          "Median",
          "Upper quartile",
        ],
        [
          "VGG-16",
          "standard",
          "deepfool",
          "1,000",
          "90.0 %",
          "0.540",
          "1.10",
          "1.66",
        ],
        [
          "VGG-16",
          "standard",
          "fab-t",
          "1,000",
          "90.0 %",
          "0.432",
          "0.882",
          "1.33",
        ],
        [
          "VGG-16",
          "adversarial",
          "deepfool",
          "1,000",
          "90.0 %",
          "0.809",
          "1.65",
          "2.50",
        ],
        [
          "VGG-16",
          "adversarial",
          "fab-t",
          "1,000",
          "90.0 %",
          "0.647",
          "1.32",
          "2.00",
        ],
        [
          "AlexNet",
          "standard",
          "deepfool",
          "1,000",
          "90.0 %",
          "1.08",
          "2.20",
          "3.33",
        ],
        [
          "AlexNet",
          "standard",
          "fab-t",
          "1,000",
          "90.0 %",
          "0.863",
          "1.76",
          "2.66",
        ],
        [
          "AlexNet",
          "adversarial",
          "deepfool",
          "1,000",
          "90.0 %",
          "1.35",
          "2.75",
          "4.16",
        ],
        [
          "AlexNet",
          "adversarial",
          "fab-t",
          "1,000",
          "90.0 %",
          "1.08",
          "2.20",
          "3.33",
        ],
      ]
    `);
  });

  test('draws a line for each of them, in a panel for every network, on the same axis', () => {
    const shown = section(page);
    expect([...shown.matchAll(/<polyline/g)]).toHaveLength(run.distances?.length ?? 0);
    const axes = [...shown.matchAll(/<svg[^>]*width="420"[\s\S]*?<\/svg>/gu)].map(([chart]) =>
      [...chart.matchAll(/y="212"[^>]*>([^<]*)</g)].map(([, words]) => words),
    );
    expect(axes).toEqual(Array(4).fill(['0', '1', '2', '3', '4']));
  });

  test('says who stands farthest and who nearest', () => {
    expect(textOf(section(page))).toContain(
      'The median image of AlexNet (adversarial training) lies L2 2.20 (fab-t) from an adversarial one, that of VGG-16 ' +
        '(standard training) L2 0.882 (fab-t): the farthest and the nearest of 4 networks.',
    );
  });

  test.each([
    [
      'one network',
      [entry([1, 1.5], { median: 1.25 })],
      'The median image of VGG-16 (standard training) lies L2 1.25 (deepfool) from an adversarial one. The',
    ],
    [
      'one of two without a median',
      [entry([1, 1.5], { median: 1.25 }), entry([null], { training: 'adversarial' })],
      'an adversarial one. For VGG-16 (adversarial training), half of the images or more have none that was found. The',
    ],
    [
      'none with a median',
      [entry([null]), entry([2, null], { training: 'adversarial' })],
      'For 2 networks, half of the images or more have none that was found. The curves',
    ],
  ])('says as much of %s', async (_what, distances, words) => {
    const shown = await renderReport({ ...run, distances });
    expect(textOf(section(shown))).toContain(words);
  });

  test('leaves a box empty where too few images have one', async () => {
    const shown = await renderReport({ ...run, distances: [entry([0, null, null])] });
    expect(rowsOf(shown)[1]).toEqual(['VGG-16', 'standard', 'deepfool', '3', '33.3 %', '–', '–', '–']);
    expect(tagsOf(section(shown)).some(({ attributes }) => attributes['aria-label'] === 'not found')).toBe(true);
  });

  test('has a table and a figure for every norm', async () => {
    const distances = run.distances?.flatMap((one) => [one, { ...one, norm: 'Linf' as const }]) ?? [];
    const shown = section(await renderReport({ ...run, distances }));
    expect(textOf(shown)).toMatch(/L2 distance of images[\s\S]*L∞ distance of images/);
    expect([...shown.matchAll(/<figure class="distances"/g)]).toHaveLength(2);
  });

  test('is small, however many images were measured', async () => {
    const values = Array.from({ length: 10_000 }, (_, i) => Math.sqrt(i));
    const many = await renderReport({ ...run, distances: [entry(values, { median: 70 })] });
    expect(section(many).length).toBeLessThan(20_000);
  });

  test('lets no name get out of its place', async () => {
    const evil = '</td><script>window.broken=1</script>';
    const shown = await renderReport({ ...run, distances: [entry([1], { arch: evil, training: evil, attack: evil })] });
    expect(tagsOf(shown).filter(({ name }) => name === 'script')).toHaveLength(3);
    expect(rowsOf(shown)[1]?.slice(0, 3)).toEqual([evil, evil, evil]);
  });

  test('is left out where no attack of minimum norm took part', async () => {
    const { distances: _, ...without } = run;
    expect(await renderReport(without)).not.toContain('id="distances"');
    expect(await renderReport({ ...run, distances: [] })).not.toContain('id="distances"');
  });
});

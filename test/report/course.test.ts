import { beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { csvFiles } from '../../src/report/csv.ts';
import { renderReport } from '../../src/report/page.ts';
import { tagsOf, textOf } from './markup.ts';
import { confusionOf, traceOf } from './sample-course.ts';
import { SIX_NETWORKS, sampleRun } from './sample-run.ts';

let run: Run;
let page: string;
beforeAll(async () => {
  run = await sampleRun({ architectures: ['vgg16', 'alexnet'], epsilons: [0.1, 0.3], galleryRows: 0, course: true });
  page = await renderReport(run);
});

const section = (shown: string, id: string): string =>
  new RegExp(`<section id="${id}"[\\s\\S]*?(?=<section id=|</main>)`, 'u').exec(shown)?.[0] ?? '';

/** The rows of the numbers of a section, each as the words of its boxes. */
const rowsOf = (shown: string, id: string): string[][] =>
  (section(shown, id).match(/<tr>[\s\S]*?<\/tr>/gu) ?? []).map((row) =>
    [...row.matchAll(/<(td|th)[^>]*>([\s\S]*?)<\/\1>/gu)].map(([, , words = '']) => textOf(words)),
  );

const chartsOf = (shown: string, id: string): string[] =>
  section(shown, id).match(/<svg[^>]*role="img"[\s\S]*?<\/svg>/gu) ?? [];

const EVIL = '</td><script>window.broken=1</script>';

describe('success and loss, step by step', () => {
  test('has a panel for every network, and the numbers of its curves', () => {
    expect(chartsOf(page, 'course')).toHaveLength(4);
    const [head, first, ...rest] = rowsOf(page, 'course');
    expect(head).toEqual([
      'Architecture',
      'Training',
      'Attack',
      'ε',
      'Steps',
      'Fooled',
      'Share',
      'Loss, 10 %',
      'Median',
      '90 %',
    ]);
    const trace = run.traces?.[0];
    expect(first?.slice(0, 6)).toEqual([
      'VGG-16',
      'standard',
      'pgd',
      '0.3',
      '0',
      `${trace?.fooled[0]} of ${trace?.images}`,
    ]);
    expect(rest[9]?.slice(4, 6)).toEqual(['40', `${trace?.fooled.at(-1)} of ${trace?.images}`]);
    expect(rest[9]?.slice(7)).toEqual(['−3', '−1', '1.5']);
  });

  test('says which attack was farthest from its end', async () => {
    expect(textOf(section(page, 'course'))).toMatch(
      /In the last quarter of its steps, pgd still fooled \d+ of \d+ images/,
    );
    const done = run.traces?.map((trace) => ({ ...trace, fooled: trace.fooled.map(() => 7) }));
    const shown = await renderReport({ ...run, traces: done });
    expect(textOf(section(shown, 'course'))).toContain(
      'In the last quarter of its steps no attack fooled any further image.',
    );
  });

  test('has one axis of steps for all, logarithmic where attacks differ much in length', async () => {
    const cell = run.cells.find(({ attack, epsilon }) => attack === 'pgd' && epsilon === 0.3);
    if (cell === undefined) throw new Error('no cell');
    const traces = [
      traceOf(cell),
      traceOf({ ...cell, attack: 'square' }),
      traceOf({ ...cell, training: 'adversarial' }),
    ];
    const shown = chartsOf(await renderReport({ ...run, traces }), 'course');
    expect(shown).toHaveLength(2);
    for (const chart of shown) {
      expect(chart).toContain('steps taken (logarithmic)');
      expect([...chart.matchAll(/y="352"[^>]*>([\d,]+)</g)].map(([, step]) => step)).toEqual([
        ...['0', '1', '10', '100', '1,000'],
      ]);
    }
    for (const chart of chartsOf(page, 'course')) expect(chart).toContain('>steps taken<');
  });

  test('draws no loss where none was noted', async () => {
    const traces = run.traces?.map(({ loss: _, ...trace }) => trace);
    const shown = await renderReport({ ...run, traces });
    expect(chartsOf(shown, 'course')[0]).toContain('no loss was noted');
    expect(textOf(section(shown, 'course'))).not.toContain('Below, the loss');
    expect(rowsOf(shown, 'course')[1]?.slice(7)).toEqual(['–', '–', '–']);
  });

  test('says of how many images the loss is, as the run does', async () => {
    const of = (images: number) =>
      run.traces?.map((trace) => ({ ...trace, loss: trace.loss && { ...trace.loss, images } }));
    const shown = await renderReport({ ...run, traces: of(37) });
    expect(textOf(section(shown, 'course'))).toContain('the loss of up to 37 of them');
  });

  test('has few rows of each curve in the page, and all in its CSV', () => {
    expect(rowsOf(page, 'course')).toHaveLength(1 + 4 * 11);
    expect(csvFiles(run)['traces.csv']?.split('\r\n')).toHaveLength(1 + 4 * 21 + 1);
    const [{ images = 0, before = 0, fooled = [] } = {}] = run.traces ?? [];
    const last = `vgg16,standard,pgd,Linf,0.3,${images},${before},40,${fooled.at(-1)},100,-3,-1,1.5\r\n`;
    expect(csvFiles(run)['traces.csv']).toContain(last);
  });
});

describe('how large the perturbations are', () => {
  test('has a panel for every network, a line and a row for every attack in it', () => {
    const charts = chartsOf(page, 'perturbations');
    expect(charts).toHaveLength(4);
    for (const chart of charts) {
      expect([...chart.matchAll(/<polyline/g)]).toHaveLength(3);
      expect([...chart.matchAll(/>(noise|fgsm|pgd)<\/text>/g)]).toHaveLength(3);
    }
    expect(rowsOf(page, 'perturbations')[2]).toEqual([
      ...['VGG-16', 'standard', 'fgsm', '0.3', '995', '989'],
      ...['1.26', '1.80', '2.34', '31.5 %', '45.0 %', '58.5 %'],
    ]);
  });

  test('has every quantile in its CSV', () => {
    const rows = csvFiles(run)['perturbations.csv']?.split('\r\n');
    expect(rows).toHaveLength(1 + 12 * 21 + 1);
    expect(rows?.[2]).toBe('vgg16,standard,noise,Linf,0.3,995,36,0.05,1.26,0');
  });

  test('has no rows where the ball is none of single values, and marks its radius where it is in L2', async () => {
    const perturbations = run.perturbations?.map(({ atBound: _, ...one }) => ({
      ...one,
      norm: 'L2' as const,
      epsilon: 1.5,
    }));
    const [chart = ''] = chartsOf(await renderReport({ ...run, perturbations }), 'perturbations');
    expect(chart).not.toContain('moved by the whole radius');
    expect(chart).toContain('>ε = 1.5<');
    expect(chartsOf(page, 'perturbations')[0]).not.toContain('>ε =');
  });
});

describe('where it breaks', () => {
  test('has a matrix for every network, of the attack that fools most', () => {
    const charts = chartsOf(page, 'flips');
    expect(charts).toHaveLength(4);
    const strongest = run.confusions?.filter(({ attack }) => attack === 'pgd') ?? [];
    for (const [i, chart] of charts.entries()) {
      const { flips = [], attacked = [] } = strongest[i] ?? {};
      const inside = [...chart.matchAll(/text-anchor="middle"[^>]*class="f-ink"[^>]*>(\d+)</g)].map(([, n]) =>
        Number(n),
      );
      // Numbers above the columns, then those on the diagonal, then those beside it.
      expect(inside.slice(10).reduce((sum, n) => sum + n, 0)).toBe(attacked.reduce((sum, n) => sum + n, 0));
      expect(inside.slice(-flips.length)).toEqual(flips.map(({ images }) => images));
    }
  });

  test('says the most frequent in words', () => {
    const [flip] = run.confusions?.find(({ attack }) => attack === 'pgd')?.flips ?? [];
    const words = `${flip?.from} → ${flip?.to}, ${flip?.images} of ${flip?.of}`;
    expect(textOf(section(page, 'flips'))).toContain(words);
    expect(textOf(section(page, 'flips'))).toContain(`class ${flip?.from} is taken for class ${flip?.to}`);
  });

  test('has the flips of all attacks in its CSV', () => {
    const flips = run.confusions?.flatMap((one) => one.flips) ?? [];
    const rows = csvFiles(run)['confusions.csv']?.split('\r\n') ?? [];
    expect(rows).toHaveLength(1 + flips.length + 1);
    const [flip] = flips;
    expect(rows[1]).toBe(`vgg16,standard,noise,Linf,0.3,${flip?.from},${flip?.to},${flip?.images},${flip?.of}`);
  });

  test('names classes beside their rows, and has their numbers above the columns', async () => {
    const classes = run.classes.map((_, i) => `a class of many words ${i}`);
    const [chart = ''] = chartsOf(await renderReport({ ...run, classes }), 'flips');
    expect(chart).toContain('<title>3 a class of many words 3</title>');
    expect(chart).toMatch(/>3<\/text>/);
  });

  test('of many classes says the most frequent flips alone', async () => {
    const many = run.cells.filter(({ epsilon }) => epsilon === 0.3).map((cell) => confusionOf(cell, 30, false));
    const shown = await renderReport({ ...run, confusions: many });
    expect(chartsOf(shown, 'flips')).toEqual([]);
    expect(
      section(shown, 'flips')
        .match(/<ol class="top-flips">[\s\S]*?<\/ol>/u)?.[0]
        .match(/<li>/g),
    ).toHaveLength(10);
  });

  test('is left out where nobody was fooled', async () => {
    const confusions = run.confusions?.map((one) => ({ ...one, fooled: 0, flips: [] }));
    expect(await renderReport({ ...run, confusions })).not.toContain('id="flips"');
  });

  test('unfolds no more than a few of many networks', async () => {
    const many = await sampleRun({ architectures: SIX_NETWORKS, epsilons: [0.3], galleryRows: 0, course: true });
    const shown = await renderReport(many);
    expect(textOf(section(shown, 'flips'))).toContain('8 more');
    expect(textOf(section(shown, 'course'))).toContain('6 more');
    expect(shown.length).toBeLessThan(1_500_000);
  });
});

describe('the courses of attacks', () => {
  test('let no name get out of its place', async () => {
    const evil = { arch: EVIL, training: EVIL, attack: EVIL };
    const shown = await renderReport({
      ...{ ...run, classes: run.classes.map(() => EVIL) },
      ...{ traces: run.traces?.map((one) => ({ ...one, ...evil })) },
      ...{ perturbations: run.perturbations?.map((one) => ({ ...one, ...evil })) },
      ...{ confusions: run.confusions?.map((one) => ({ ...one, ...evil })) },
    });
    expect(tagsOf(shown).filter(({ name }) => name === 'script')).toHaveLength(3);
    expect(rowsOf(shown, 'flips')[1]?.slice(0, 3)).toEqual([EVIL, EVIL, EVIL]);
  });

  test('are left out of runs that say nothing of them', async () => {
    const { traces: _, perturbations: __, confusions: ___, ...old } = run;
    const shown = await renderReport(old);
    for (const id of ['course', 'perturbations', 'flips']) expect(shown).not.toContain(`id="${id}"`);
  });
});

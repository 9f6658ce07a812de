import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wilson95 } from '../../src/core/statistics.ts';
import { UNTARGETED } from '../../src/core/threat-model.ts';
import { accuracyPanel } from '../../src/report/charts/accuracy-panel.ts';
import { confusionPanel } from '../../src/report/charts/confusion-panel.ts';
import { coursePanel } from '../../src/report/charts/course-panel.ts';
import { distancePanel } from '../../src/report/charts/distance-panel.ts';
import { dodge } from '../../src/report/charts/dodge.ts';
import { dumbbell } from '../../src/report/charts/dumbbell.ts';
import { epsilonScale, labelledRadii } from '../../src/report/charts/epsilon-scale.ts';
import { intervalBar } from '../../src/report/charts/interval-bar.ts';
import { sizePanel } from '../../src/report/charts/size-panel.ts';
import { roundRadii } from '../../src/report/charts/staircase.ts';
import { fitApart } from '../../src/report/fit-apart.ts';
import type { Html } from '../../src/report/html.ts';
import { BASELINE, lineStyle } from '../../src/report/palette.ts';
import { groupBy, type Measured } from '../../src/report/slice.ts';
import { fitText, textWidth } from '../../src/report/text-width.ts';
import { tagsOf } from './markup.ts';
import { confusionOf, perturbationsOf, traceOf } from './sample-course.ts';
import { cellOf } from './sample-run.ts';

const measured = (correct: number, images: number): Measured => ({
  images,
  share: correct / images,
  interval: wilson95(correct, images),
});

const grid = [0.01, 0.03, 0.1, 0.3];

const curve = (label: string, i: number, counts: readonly number[]) => ({
  label,
  style: i < 0 ? BASELINE : lineStyle(i),
  points: counts.map((correct, at) => ({ epsilon: grid[at] ?? 1, measured: measured(correct, 100) })),
});

const panel = {
  id: 'panel',
  title: 'Accuracy of <VGG-16>',
  norm: 'Linf',
  grid,
  marked: 0.1,
  clean: measured(99, 100),
  chance: 0.1,
  names: ['noise', 'fgsm', 'pgd'],
  series: [curve('noise', -1, [99, 99, 98, 90]), curve('fgsm', 0, [97, 80, 20, 0]), curve('pgd', 1, [96, 70, 3, 0])],
} as const;

const distances = {
  ...{ id: 'distances', title: 'Images of <VGG-16> left', largest: 2.3, names: ['deepfool', 'cw'] },
  norm: 'L2',
  series: [
    {
      ...{ label: 'deepfool', style: lineStyle(0), median: 1.5 },
      steps: [
        { radius: 0, share: 0.99 },
        { radius: 1.4, share: 0.6 },
        { radius: 1.6, share: 0.4 },
        { radius: 2.3, share: 0.1 },
      ],
    },
    { label: 'cw', style: lineStyle(1), median: null, steps: [{ radius: 0, share: 0.75 }] },
  ],
} as const;

const rows = [
  { name: 'VGG-16', detail: 'standard training', clean: measured(99, 100), attacked: measured(0, 100) },
  { name: 'VGG-16', detail: 'adversarial training', clean: measured(98, 100), attacked: measured(94, 100) },
  { name: 'AlexNet', detail: 'standard training', clean: measured(50, 100), attacked: measured(60, 100) },
];

/** Whole files, so that a browser shows them and a review sees what changed. */
const asFile = (chart: Html): string => `${chart.toString().replaceAll('><', '>\n<')}\n`;

describe('a drawn chart', () => {
  test('accuracy against epsilon, logarithmic', async () => {
    await expect(asFile(accuracyPanel(panel))).toMatchFileSnapshot('__snapshots__/accuracy-log.svg');
  });

  test('accuracy against epsilon, linear', async () => {
    const linear = { ...panel, grid: [0, 0.1, 0.2], marked: 0.2, series: [{ ...curve('a long name', 2, [90, 40]) }] };
    const series = linear.series.map((line) => ({
      ...line,
      points: line.points.map((point, i) => ({ ...point, epsilon: 0.1 * (i + 1) })),
    }));
    const chart = accuracyPanel({ ...linear, series, names: ['a long name'] });
    await expect(asFile(chart)).toMatchFileSnapshot('__snapshots__/accuracy-linear.svg');
  });

  test('what is left against the distance', async () => {
    const chart = distancePanel(distances);
    await expect(asFile(chart)).toMatchFileSnapshot('__snapshots__/distances.svg');
    expect(chart.toString()).toContain(
      'under deepfool half of them fall within 1.5, and at the end 10.0 % of the images are left; under cw half of the ' +
        'images never fall, and at the end 75.0 % of the images are left.',
    );
  });

  const cell = cellOf({
    ...{ arch: 'vgg16', training: 'standard', attack: 'pgd', norm: 'Linf', epsilon: 0.3, goal: UNTARGETED },
    ...{ images: 100, clean: 98, robust: 20 },
  });

  test('success and loss by the number of steps', async () => {
    const [pgd, square] = [traceOf(cell), traceOf({ ...cell, attack: 'square', robustCorrect: 61 })];
    const chart = coursePanel({
      ...{ id: 'course', title: 'Attacks on <VGG-16>', names: ['pgd', 'square'], lengths: [40, 5000] },
      series: [
        { label: 'pgd', style: lineStyle(0), trace: pgd },
        { label: 'square', style: lineStyle(1), trace: square },
      ],
    });
    await expect(asFile(chart)).toMatchFileSnapshot('__snapshots__/course.svg');
    expect(chart.toString()).toContain(
      'pgd fools 79.6 % of the images, half of what it fools within 22 of 40 steps; the median loss goes from −7 to −1.',
    );
  });

  test('sizes of perturbations', async () => {
    const chart = sizePanel({
      ...{ id: 'sizes', title: 'Perturbations of images of <VGG-16>', largest: 2.4, names: ['pgd', 'noise'] },
      series: [
        { label: 'pgd', style: lineStyle(0), sizes: perturbationsOf(cell) },
        { label: 'noise', style: BASELINE, sizes: perturbationsOf({ ...cell, attack: 'noise', epsilon: 0.2 }) },
      ],
    });
    await expect(asFile(chart)).toMatchFileSnapshot('__snapshots__/sizes.svg');
    expect(chart.toString()).toContain(
      'the median perturbation of pgd is 1.8 large in L2, and moves 45.0 % of its values by the whole radius',
    );
  });

  test('what images are taken for', async () => {
    const classes = ['T-shirt/top', 'trouser', 'a pullover of many words'];
    const confusion = confusionOf(cell, 3);
    const chart = confusionPanel({
      ...{ id: 'flips', title: 'What images of <VGG-16> are taken for', classes },
      confusion: { ...confusion, attacked: confusion.attacked ?? [] },
    });
    await expect(asFile(chart)).toMatchFileSnapshot('__snapshots__/confusion.svg');
    expect(chart.toString()).toContain('Of 98 attacked images 78 are fooled, 79.6 %.');
  });

  test.each([
    ['wide', 1000],
    ['narrow', 358],
  ])('dumbbell, %s', async (name, width) => {
    const chart = dumbbell({ id: 'fall', title: 'How far', rows, width });
    await expect(asFile(chart)).toMatchFileSnapshot(`__snapshots__/dumbbell-${name}.svg`);
  });

  test('has its title and description, escaped, and points to them', () => {
    const chart = accuracyPanel(panel).toString();
    expect(chart).toContain('<title id="panel-title">Accuracy of &lt;VGG-16&gt;</title>');
    expect(chart).toContain('aria-labelledby="panel-title panel-description"');
    expect(chart).toContain('99.0 % without attack, 90.0 % under noise at ε = 0.3, 0.0 % under fgsm');
  });
});

/** The words of a chart with where they begin and end, as wide as they can get. */
function wordsIn(chart: Html): readonly { readonly words: string; readonly start: number; readonly end: number }[] {
  const shift = /translate\((-?[\d.]+),/;
  const shifts: number[] = [];
  return [...chart.toString().matchAll(/<(\/?g|text)\b([^>]*)>([^<]*)/g)].flatMap(
    ([, element, attributes = '', words = '']) => {
      if (element === 'g') shifts.push(Number(shift.exec(attributes)?.[1] ?? 0));
      if (element === '/g') shifts.pop();
      if (element !== 'text') return [];
      const attribute = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
      const face = { size: Number(attribute('font-size')), weight: Number(attribute('font-weight') || 400) };
      const width = textWidth(words.replaceAll('&lt;', '<').replaceAll('&gt;', '>'), face);
      const x = shifts.reduce((sum, by) => sum + by, Number(attribute(' x')));
      const start = { start: x, middle: x - width / 2, end: x - width }[attribute('text-anchor')] ?? Number.NaN;
      return [{ words, start, end: start + width }];
    },
  );
}

describe('words of a chart', () => {
  test('colour a number only where accuracy fell by more than chance', () => {
    const chart = asFile(dumbbell({ id: 'fall', title: 'How far', rows, width: 1000 }));
    const coloured = [...chart.matchAll(/class="f-attacked"[^>]*>([^<]*%)</g)].map(([, number]) => number);
    expect(coloured).toEqual(['0.0 %']);
  });

  test.each([1000, 358])('stay in a picture of %i pixels, however high or low the numbers', (width) => {
    const counts = [0, 1, 500, 999, 1000].map((correct) => measured(correct, 1000));
    const rows = counts.flatMap((clean) =>
      counts.map((attacked) => ({
        ...{ name: `Wide Network of Many Words ${clean.share}`, detail: 'adversarial training' },
        ...{ clean, attacked },
      })),
    );
    const found = wordsIn(dumbbell({ id: 'fall', title: 'How far', rows, width }));
    expect(found.filter(({ words }) => words.endsWith('%')).length).toBeGreaterThanOrEqual(2 * rows.length);
    for (const { start, end } of found) {
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeLessThanOrEqual(width);
    }
  });

  test('give a line its whole name, or all of it that fits and the rest by an ellipsis with the name as its title', () => {
    const named = (label: string) =>
      accuracyPanel({ ...panel, names: [label], series: [curve(label, 1, [9, 9, 8, 1])] });
    for (const label of ['pgd', 'momentum', 'pgd steps=100', 'an attack of far too many words', 'W'.repeat(400)]) {
      const last = wordsIn(named(label)).at(-1);
      expect(last?.end).toBeLessThanOrEqual(420);
      expect(last?.words === label).toBe(label.length < 20);
      if (label.length >= 20) {
        expect(last?.words).toMatch(/^\S.*…$/);
        expect(named(label).toString()).toContain(`<title>${label}</title>`);
      }
    }
  });

  test('say of an axis whether it is logarithmic', () => {
    const said = (chart: Html): boolean => chart.toString().includes('radius ε (L∞, logarithmic)');
    expect([panel, { ...panel, grid: [0.1, 0.2, 0.3] }].map(accuracyPanel).map(said)).toEqual([true, false]);
  });
});

describe('names of a chart', () => {
  /** Few letters, so that many begin or end alike; some far longer than there is room. */
  const name = fc.array(fc.constantFrom('VGG', 'random', ' ', 'wide '.repeat(12), '1', '\u0000'), { maxLength: 6 });
  const words = name.map((parts) => parts.join(''));
  const seen = (text: string): string => text.replace(/\s+/g, ' ').trim();
  const all = { clean: measured(90, 100), attacked: measured(10, 100) };
  const row = fc.record({
    name: words,
    detail: words.map((how) => `training: ${how}`),
    addition: fc.option(words, { nil: undefined }),
  });

  /** Labels as a reader takes them: the short ones as of the whole one above, that as of its network. */
  function read(chart: Html): readonly string[] {
    const texts = [...chart.toString().matchAll(/<text x="([^"]*)"[^>]*>([^<]*)/g)];
    const isNumber = /%$|^(0|25|50|75|under attack|clean)$/;
    const own = texts.filter(([tag, , label = '']) => !isNumber.test(label) && !tag.includes('middle'));
    let [network, whole] = ['', ''];
    return own.flatMap(([tag, x, label = '']) => {
      if (tag.includes('font-weight="600"') && x === '0' && tag.includes('"14.5"')) {
        network = seen(label);
        return [];
      }
      if (!seen(label).match(/^(\d+ )?\+/)) {
        whole = seen(label);
        return `${network}|${whole}`;
      }
      return `${network}|${whole}|${seen(label)}`;
    });
  }

  test.each([1000, 358])('tell all rows from each other at %i pixels, whatever they are called', (width) => {
    const rows = fc.uniqueArray(row, {
      minLength: 1,
      maxLength: 8,
      selector: (one) => JSON.stringify(Object.values(one)),
    });
    fc.assert(
      fc.property(rows, (some) => {
        const ofOneNetwork = [...groupBy(some, (one) => one.name).values()].flat();
        const chart = dumbbell({ id: 'a', title: 'a', width, rows: ofOneNetwork.map((one) => ({ ...one, ...all })) });
        const labels = read(chart);
        expect(labels).toHaveLength(some.length);
        expect(new Set(labels).size).toBe(some.length);
      }),
    );
  });

  test.each([1000, 358])('say only what a network stands behind, below the same without it, at %i pixels', (width) => {
    const defenses = [undefined, 'jpeg', 'random-resize-pad', 'total-variation'];
    const rows = ['VGG-16', 'ResNet-18'].flatMap((name) =>
      defenses.map((addition) => ({ name, detail: 'standard training', addition, ...all })),
    );
    const chart = dumbbell({ id: 'a', title: 'a', width, rows });
    const labels = wordsIn(chart).map((one) => one.words);
    expect(labels.filter((label) => label.startsWith('+'))).toEqual([
      ...['+ jpeg', '+ random-resize-pad', '+ total-variation'],
      ...['+ jpeg', '+ random-resize-pad', '+ total-variation'],
    ]);
    expect(chart.toString()).toContain(
      `<title>${width === 358 ? 'VGG-16, ' : ''}standard training + random-resize-pad</title>`,
    );
    expect(chart.toString()).not.toContain('…');
    const without = (...names: readonly string[]) =>
      wordsIn(dumbbell({ id: 'a', title: 'a', width, rows: names.flatMap(whole) })).map((one) => one.words);
    const whole = (named: string) => {
      const [detail = '', addition] = named.split('+');
      return { name: 'VGG-16', detail, addition, ...all };
    };
    // Below another training, or another defense, it would be said to stand behind that.
    for (const label of ['b + jpeg', 'a + jpeg'])
      expect(without('a', 'b+jpeg', 'a+jpeg', 'a+median').filter((words) => words.endsWith(label))).toHaveLength(1);
    expect(without('a+jpeg', 'a+median').filter((words) => words.endsWith('a + median'))).toHaveLength(1);
  });

  test('of lines stay apart where they are cut', () => {
    fc.assert(
      fc.property(fc.uniqueArray(words, { minLength: 2, maxLength: 6 }), (labels) => {
        const series = labels.map((label, i) => curve(label, i % 4, [9, 9, 8, 1]));
        const shown = wordsIn(accuracyPanel({ ...panel, names: labels, series })).slice(-labels.length);
        expect(new Set(shown.map((one) => seen(one.words))).size).toBe(labels.length);
        for (const { end } of shown) expect(end).toBeLessThanOrEqual(420);
      }),
    );
  });

  test('keep what tells them from each other: the beginning, the end, or both', () => {
    const cut = (...names: string[]): readonly string[] => fitApart(names, 100, { size: 10 });
    expect(cut('pgd', 'a name of very many words')).toEqual(['pgd', 'a name of very…']);
    expect(cut('a name of very many words + a', 'a name of very many words + b')).toEqual([
      ...['a name of…s + a', 'a name of…s + b'],
    ]);
    expect(cut('pgd', 'pgd')).toEqual(['1 pgd', '2 pgd']);
  });
});

test('the word for chance stands above its level, or below it where the lines begin just above', () => {
  const heightAt = (correct: number, chance: number): number => {
    const chart = accuracyPanel({ ...panel, chance, clean: measured(correct, 100) }).toString();
    const label = Number(/y="([^"]*)"[^>]*>chance/.exec(chart)?.[1]);
    return label - Number(/y1="([^"]*)"[^>]*stroke-dasharray="5 4"/.exec(chart)?.[1]);
  };
  for (const correct of [25, 28, 32]) expect(heightAt(correct, 0.25)).toBe(14);
  for (const correct of [10, 50, 99]) expect(heightAt(correct, 0.25)).toBe(-5);
  expect(heightAt(99, 0.99)).toBe(14);
  expect(heightAt(1, 0.001)).toBe(-5);
});

describe('the width of a text', () => {
  const front = fc.constantFrom(0, 0.5, 1);

  test('adds up, grows with its weight, and a text cut to a room fits into it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 20, max: 200 }), front, (text, room, share) => {
        const face = { size: 12, weight: 600 };
        expect(textWidth(text, face)).toBeGreaterThanOrEqual(textWidth(text, { size: 12 }));
        expect(textWidth(text + text, face)).toBeCloseTo(2 * textWidth(text, face));
        const cut = fitText(text, room, face, share);
        expect(textWidth(cut, face)).toBeLessThanOrEqual(room);
        if (cut !== text) expect(textWidth(text, face)).toBeGreaterThan(room);
      }),
    );
  });

  test('is no less than in DejaVu Sans, as its own metrics have it', () => {
    expect(textWidth('100.0 %', { size: 2048 })).toBeGreaterThanOrEqual(1303 * 4 + 651 * 2 + 1946);
    expect(textWidth('momentum', { size: 2048 })).toBeGreaterThanOrEqual(1995 * 3 + 1253 + 1260 + 1298 + 803 + 1298);
  });
});

test('an interval bar stays within its track, whatever the interval', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(), (images, draw) => {
      const bar = intervalBar(measured(draw % (images + 1), images), 'ink').toString();
      for (const { name, attributes } of tagsOf(bar)) {
        if (name !== 'rect') continue;
        const start = Number(attributes.x ?? 0);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start + Number(attributes.width)).toBeLessThanOrEqual(64.01);
      }
    }),
  );
});

describe('the axis of radii', () => {
  const grids = fc
    .uniqueArray(
      fc.integer({ min: 1, max: 10_000 }).map((n) => n / 1000),
      { minLength: 1, maxLength: 12 },
    )
    .map((grid) => grid.sort((a, b) => a - b));

  test('ascends from 0 at its left end to the largest radius at its right end', () => {
    fc.assert(
      fc.property(grids, (radii) => {
        const { at } = epsilonScale(radii, 300);
        const places = [0, ...radii].map(at);
        expect(places[0]).toBe(0);
        expect(places.at(-1)).toBeCloseTo(300, 6);
        for (const [i, place] of places.entries()) expect(places[i + 1] ?? 1000).toBeGreaterThan(place);
      }),
    );
  });

  test('labels never touch, and the marked radius has one wherever 0 leaves it room', () => {
    fc.assert(
      fc.property(grids, fc.nat(), (radii, draw) => {
        const scale = epsilonScale(radii, 300);
        const marked = radii[draw % radii.length] ?? 0;
        const labels = labelledRadii(radii, marked, scale, () => 20);
        const places = labels.map(scale.at);
        for (const [i, place] of places.entries()) expect((places[i + 1] ?? 1000) - place).toBeGreaterThanOrEqual(24);
        if (scale.at(marked) >= 24) expect(labels).toContain(marked);
      }),
    );
  });
});

test('labels moved apart keep their order, their distance and, if they fit, their bounds', () => {
  const heights = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 7 });
  fc.assert(
    fc.property(heights, (wanted) => {
      const placed = dodge(wanted, 14, 0, 100);
      expect(placed).toHaveLength(wanted.length);
      const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0) || a - b);
      for (const [rank, i] of order.entries()) {
        const next = order[rank + 1];
        expect(placed[i]).toBeGreaterThanOrEqual(-1e-9);
        expect(placed[i]).toBeLessThanOrEqual(100 + 1e-9);
        if (next !== undefined) expect((placed[next] ?? 0) - (placed[i] ?? 0)).toBeGreaterThanOrEqual(14 - 1e-9);
      }
    }),
  );
  expect(dodge([10, 50, 90], 14, 0, 100)).toEqual([10, 50, 90]);
});

test('radii to read are round, few, and go to the end', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (largest) => {
      const radii = roundRadii(largest);
      const [zero, step = 0] = radii;
      expect(zero).toBe(0);
      expect(radii.length).toBeGreaterThanOrEqual(3);
      expect(radii.length).toBeLessThanOrEqual(7);
      expect(['1', '2', '5']).toContain(step.toExponential(6).replace(/\.?0*e.*/, ''));
      expect(radii.at(-1)).toBeLessThanOrEqual(largest * (1 + 1e-9));
      expect((radii.at(-1) ?? 0) + step).toBeGreaterThan(largest * (1 - 1e-9));
    }),
  );
  expect(roundRadii(10.4)).toEqual([0, 2, 4, 6, 8, 10]);
});

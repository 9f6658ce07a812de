import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/core/run.ts';
import { csvFiles } from '../../src/report/csv.ts';
import { writeIndex, writeReport } from '../../src/report/write.ts';
import { arbitraryRun } from './arbitrary-run.ts';
import { Browser, chromiumPath, type Page } from './browser.ts';
import { certifiedRun } from './sample-certificates.ts';
import { defendedRun } from './sample-defenses.ts';
import { SIX_NETWORKS, sampleRun } from './sample-run.ts';

const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const COLOURS = 'getComputedStyle(document.body).backgroundColor';

/** Words of charts that reach out of their picture. */
const CLIPPED = `[...document.querySelectorAll('svg[role=img] text')].filter((text) => {
  const [words, picture] = [text, text.ownerSVGElement].map((element) => element.getBoundingClientRect());
  return words.width > 0 && (words.left < picture.left - 1 || words.right > picture.right + 1 || words.bottom > picture.bottom + 1);
}).map((text) => text.textContent)`;

/** Pairs of words of one chart that lie on each other. */
const OVERLAPPING = `[...document.querySelectorAll('svg[role=img]')].flatMap((picture) => {
  const texts = [...picture.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  return texts.flatMap(([a, p], i) => texts.slice(i + 1)
    .filter(([, q]) => Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3)
    .map(([b]) => a + ' / ' + b));
})`;

/** What axe finds wrong, as `rule: element`: every rule it has, good manners included. */
const INACCESSIBLE = `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`;

describe.skipIf(chromiumPath === undefined)('in headless Chromium, from file://, the report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gibbon-browser-test-'));
  let browser: Browser;
  let run: Run;
  let url: string;

  const place = async (name: string, placed: Run): Promise<string> => {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, 'run.json'), JSON.stringify(placed));
    return pathToFileURL(await writeReport(join(folder, name), placed)).href;
  };

  beforeAll(async () => {
    browser = Browser.start(chromiumPath ?? '');
    run = await sampleRun({
      architectures: ['vgg16', 'alexnet', 'resnet18'],
      checks: true,
      galleryRows: 2,
      distances: true,
      histories: true,
      course: true,
    });
    url = await place('sample', run);
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([320, 390, 768, 1180, 1920])('is silent, asks for nothing and fits %i pixels', async (width) => {
    await browser.visit(url, { width }, async (page, seen) => {
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect(seen).toEqual({ messages: [], requests: [] });
    });
  });

  test.each([320, 390, 1180])(
    'says at %i pixels what each check saw and why, with nothing out of sight',
    async (width) => {
      const outOfSight = `[...document.querySelectorAll('.checks tbody :is(th, td)')].filter((cell) => {
      const { left, right, width, height } = cell.getBoundingClientRect();
      return left < 0 || right > innerWidth || width < 40 || height === 0;
    }).map((cell) => cell.textContent)`;
      await browser.visit(url, { width }, async (page) => {
        expect(await page.evaluate("document.querySelectorAll('.checks tbody td').length")).toBe(3 * 4);
        expect(await page.evaluate(outOfSight)).toEqual([]);
      });
    },
  );

  test.each([320, 390, 1180])('fits %i pixels with certificates alone, no words cut off', async (width) => {
    const certified = await place('certified', await certifiedRun(['vgg16', 'resnet18'], [0.12, 0.25, 0.5]));
    await browser.visit(certified, { width }, async (page, seen) => {
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect(await page.evaluate(CLIPPED)).toEqual([]);
      expect(await page.evaluate(OVERLAPPING)).toEqual([]);
      expect(seen).toEqual({ messages: [], requests: [] });
    });
  });

  test.each([320, 390, 1180])('fits %i pixels with networks behind defenses, no words cut off', async (width) => {
    const defended = await defendedRun(['jpeg', 'random-resize-pad'], { attacks: ['noise', 'pgd'] });
    await browser.visit(await place('defended', defended), { width }, async (page, seen) => {
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect(await page.evaluate(CLIPPED)).toEqual([]);
      expect(await page.evaluate(OVERLAPPING)).toEqual([]);
      expect(seen).toEqual({ messages: [], requests: [] });
    });
  });

  test('is silent and whole with hostile names in every place', async () => {
    const hostile = fc.sample(arbitraryRun(), { numRuns: 6, seed: 11 });
    for (const [i, any] of hostile.entries()) {
      await browser.visit(await place(`hostile-${i}`, any), { width: 390 }, async (page, seen) => {
        expect(await page.evaluate('window.broken === undefined')).toBe(true);
        expect(await page.evaluate('[document.scripts.length, document.images.length]')).toEqual([3, 2]);
        expect(await page.evaluate(OVERFLOW)).toBe(0);
        expect(seen).toEqual({ messages: [], requests: [] });
      });
    }
  });

  test('follows the system into the dark, the button out of it, and is light on paper', async () => {
    await browser.visit(url, { width: 800, dark: true }, async (page) => {
      expect(await page.evaluate(COLOURS)).toBe('rgb(21, 23, 27)');
      await page.evaluate("document.getElementById('theme').click()");
      expect(await page.evaluate(COLOURS)).toBe('rgb(255, 255, 255)');
      expect(await page.evaluate("document.getElementById('theme').textContent")).toBe('Theme: light');
      await page.evaluate("document.getElementById('theme').click()");
      expect(await page.evaluate(COLOURS)).toBe('rgb(21, 23, 27)');
      await page.evaluate("document.getElementById('theme').click()");
    });
    await browser.visit(url, { width: 800, dark: true, print: true }, async (page) => {
      expect(await page.evaluate(COLOURS)).toBe('rgb(255, 255, 255)');
    });
  });

  test('says all it has to say without JavaScript', async () => {
    const read = (page: Page): Promise<unknown> => page.evaluate("document.querySelector('main').textContent");
    const [withScript, without] = [
      await browser.visit(url, { width: 800 }, read),
      await browser.visit(url, { width: 800, script: false }, read),
    ];
    expect(String(without)).toContain('VGG-16');
    expect(without).toBe(withScript);
  });

  test('sorts its headline by any column, both ways', async () => {
    const column = (at: number): string =>
      `[...document.querySelectorAll('.headline tbody tr')].map((row) => Number(row.cells[${at}].dataset.value))`;
    const click = (label: number): string =>
      `document.querySelectorAll('.headline thead th[scope=col] button')[${label}].click()`;
    await browser.visit(url, { width: 1180 }, async (page) => {
      for (const at of [1, 4, 9, 11]) {
        await page.evaluate(click(at));
        const first = numbersOf(await page.evaluate(column(at)));
        expect(first).toHaveLength(3);
        await page.evaluate(click(at));
        expect(numbersOf(await page.evaluate(column(at)))).toEqual(first.toReversed());
        expect([first.toSorted((a, b) => a - b), first.toSorted((a, b) => b - a)]).toContainEqual(first);
      }
      await page.evaluate(click(0));
      const names = "[...document.querySelectorAll('.headline tbody th')].map((cell) => cell.firstChild.textContent)";
      expect(await page.evaluate(names)).toEqual(['AlexNet', 'ResNet-18', 'VGG-16']);
    });
  });

  test('hands out run.json, the tables and the charts, pictures included', async () => {
    const fetchText = (name: string): string => `(async () => {
      let blob;
      const make = URL.createObjectURL;
      URL.createObjectURL = (given) => { blob = given; return make(given); };
      document.querySelector('a[download="${name}"]').onclick();
      return blob.text();
    })()`;
    await browser.visit(url, { width: 800 }, async (page, seen) => {
      expect(await page.evaluate(fetchText('run.json'))).toBe(`${JSON.stringify(run, null, 2)}\n`);
      const tables = Object.entries(csvFiles(run));
      expect(tables.map(([name]) => name)).toEqual([
        ...['table.csv', 'distances.csv', 'traces.csv', 'perturbations.csv', 'confusions.csv'],
      ]);
      for (const [name, table] of tables) expect(await page.evaluate(fetchText(name))).toBe(table);
      const chart = await page.evaluate("document.querySelector('.fall svg').outerHTML");
      expect(await page.evaluate(fetchText('fall-0-wide.svg'))).toBe(`${chart}\n`);
      expect(seen.messages).toEqual([]);
    });
  });

  test.each([320, 390, 1180])(
    'of six networks trained two ways fits %i pixels, and clips no words of its charts',
    async (width) => {
      const rich = { galleryRows: 1, distances: true, histories: true, course: true };
      const six = await sampleRun({ architectures: SIX_NETWORKS, ...rich });
      await browser.visit(await place('six', six), { width }, async (page, seen) => {
        expect(await page.evaluate(OVERFLOW)).toBe(0);
        expect(await page.evaluate(CLIPPED)).toEqual([]);
        expect(await page.evaluate(OVERLAPPING)).toEqual([]);
        expect(seen).toEqual({ messages: [], requests: [] });
      });
    },
  );

  test.each([390, 1180])('fits %i pixels with accuracies of 100 %% and long names, photographs too', async (width) => {
    const sample = await sampleRun({ galleryRows: 1, images: 20, course: true });
    const long = 'an attack with a name of many words';
    const name = 'great white shark, or another of its family';
    const isLong = <T extends { attack: string }>(one: T): T => ({ ...one, attack: long });
    const photographs: Run = {
      ...sample,
      cells: sample.cells.map((cell) => ({
        ...{ ...cell, cleanCorrect: 20, cleanAccuracy: 1, cleanWilson95: [0.84, 1] },
        attack: cell.attack === 'pgd' ? 'momentum' : cell.attack === 'fgsm' ? long : cell.attack,
      })),
      classes: sample.classes.map((_, i) => `${name} ${i}`),
      traces: sample.traces?.map(isLong),
      perturbations: sample.perturbations?.map(isLong),
      confusions: sample.confusions?.map(isLong),
      gallery: sample.gallery.map((item) => ({
        ...{ ...item, width: 224, height: 224, id: `n02510455_${'giant_panda'.repeat(9)}.jpg` },
        cleanTop: item.cleanTop.map((top) => ({ ...top, name })),
      })),
    };
    await browser.visit(await place('photographs', photographs), { width }, async (page) => {
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect(await page.evaluate(CLIPPED)).toEqual([]);
      const outside = `[...document.querySelectorAll('.photographs .number, .photographs .class, .photographs figcaption')]
        .filter((part) => part.getBoundingClientRect().right > part.closest('.tops, .example').getBoundingClientRect().right + 1).length`;
      expect(await page.evaluate(outside)).toBe(0);
      expect(await page.evaluate(`document.querySelector('.photographs .class').title`)).toBe(name);
    });
  });

  test.each([
    { width: 1180, dark: false },
    { width: 390, dark: true },
  ])('leaves axe nothing to complain of, $width pixels wide, dark: $dark', async (view) => {
    const shown = { galleryRows: 1, checks: true, transfer: true, distances: true, histories: true, course: true };
    const pages = [
      await place('whole', await sampleRun({ architectures: ['vgg16', 'alexnet'], ...shown })),
      await place('certificates', await certifiedRun(['vgg16'], [0.25])),
      await place('defenses', await defendedRun(['jpeg'], { attacks: ['pgd'] })),
      pathToFileURL(await writeIndex(folder)).href,
    ];
    for (const address of pages) {
      await browser.visit(address, view, async (page) => {
        await page.evaluate(axe.source);
        expect(await page.evaluate(INACCESSIBLE)).toEqual([]);
      });
    }
  });

  test('is found through an index that is as quiet', async () => {
    await mkdir(join(folder, 'no run here'), { recursive: true });
    const index = await writeIndex(folder);
    expect(await readFile(index, 'utf8')).toContain('no run here');
    for (const width of [320, 1180]) {
      await browser.visit(pathToFileURL(index).href, { width }, async (page, seen) => {
        expect(await page.evaluate(OVERFLOW)).toBe(0);
        expect(seen).toEqual({ messages: [], requests: [] });
        const links = numbersOf(await page.evaluate("[...document.querySelectorAll('.runs a')].map(() => 1)"));
        expect(links.length).toBeGreaterThan(0);
      });
    }
  });
});

/** Numbers that came out of the page. */
function numbersOf(value: unknown): readonly number[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number'))
    throw new Error(`no numbers: ${value}`);
  return value;
}

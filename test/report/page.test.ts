import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseRun, type Run } from '../../src/core/run.ts';
import { renderReport } from '../../src/report/page.ts';
import { SCRIPT } from '../../src/report/script.ts';
import { arbitraryRun } from './arbitrary-run.ts';
import { type Tag, tagsOf, textOf } from './markup.ts';
import { sampleRun } from './sample-run.ts';

const ELEMENTS = new Set(
  (
    '!DOCTYPE html head meta title link style body header p b button main h1 h2 h3 h4 span strong small dl dt dd div a ' +
    'figure figcaption section table caption thead tbody tr th td ul ol li details summary pre code img br script ' +
    'svg g desc path rect line polyline polygon text defs image use'
  ).split(' '),
);

const SAFE_ADDRESS =
  /^(?:https:\/\/|data:image\/(?:png;base64|svg\+xml),|#[a-z]+(?:-\d+)?$|run\.json$|(?:table|transfer|distances|certificates|defenses|traces|perturbations|confusions)\.csv$)/;

/** What must hold of every page, whatever the run. */
function checkPage(page: string, run: Run): void {
  const tags = tagsOf(page);
  const opened = tags.filter(({ name }) => !name.startsWith('/'));
  for (const { name, attributes } of opened) {
    expect(ELEMENTS).toContain(name);
    for (const [key, value] of Object.entries(attributes)) {
      expect(key).not.toMatch(/^on|^style$/);
      if (key === 'href' || key === 'src') expect(value).toMatch(SAFE_ADDRESS);
    }
  }
  expect(opened.filter(({ name }) => name === 'script')).toHaveLength(3);
  expect(opened.filter(({ name }) => name === 'img')).toHaveLength(2 * run.gallery.length);
  expect(opened.filter(({ name }) => name === 'use')).toHaveLength(run.gallery.length);
  expect(opened.filter(({ name }) => name === 'image')).toHaveLength(
    new Set(run.gallery.map(({ cleanPng }) => cleanPng)).size,
  );
  checkReferences(opened);
  checkHeadings(opened);
}

function checkReferences(tags: readonly Tag[]): void {
  const ids = tags.flatMap(({ attributes }) => attributes.id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { attributes } of tags) {
    const references = (attributes['aria-labelledby'] ?? '').split(' ').filter((id) => id !== '');
    for (const id of references) expect(ids).toContain(id);
    if (attributes.href?.startsWith('#') === true) expect(ids).toContain(attributes.href.slice(1));
  }
}

/** One h1, and no level skipped on the way down. */
function checkHeadings(tags: readonly Tag[]): void {
  const levels = tags.filter(({ name }) => /^h\d$/.test(name)).map(({ name }) => Number(name[1]));
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
}

let run: Run;
let page: string;

beforeAll(async () => {
  run = await sampleRun({ architectures: ['vgg16', 'alexnet', 'resnet18'], checks: true });
  page = await renderReport(run);
});

describe('the page', () => {
  test('of any valid run is well-formed, and no name gets out of its place', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRun(), async (any) => {
        const parsed = parseRun(JSON.parse(JSON.stringify(any)), 'the run');
        checkPage(await renderReport(parsed), parsed);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('of a usual run is well-formed too', () => checkPage(page, run));

  test('shows every number of the headline, with its interval', () => {
    const table = /<table class="headline[\s\S]*?<\/table>/u.exec(page)?.[0] ?? '';
    for (const { name, title } of run.architectures) {
      const row = textOf(new RegExp(`<tr><th[^>]*><span[^>]*>${title}<[\\s\\S]*?</tr>`, 'u').exec(table)?.[0] ?? '');
      const cells = run.cells.filter((cell) => cell.arch === name && cell.epsilon === 0.3);
      expect(cells).toHaveLength(6);
      for (const { cleanCorrect, robustCorrect, images, wilson95: ends, cleanWilson95 } of cells) {
        expect(row).toContain(`${((100 * cleanCorrect) / images).toFixed(1)} %`);
        expect(row).toContain(`${((100 * robustCorrect) / images).toFixed(1)} %`);
        for (const [low, high] of [ends, cleanWilson95]) {
          expect(row).toContain(`${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`);
        }
      }
      const worst = run.worstCases?.filter((found) => found.arch === name && found.epsilon === 0.3) ?? [];
      expect(worst).toHaveLength(2);
      for (const { robustCorrect } of worst) expect(row).toContain(`${(robustCorrect / 10).toFixed(1)} %`);
    }
  });

  test('names the networks best first, by the worst case of the last training', () => {
    const table = /<table class="headline[\s\S]*?<\/table>/u.exec(page)?.[0] ?? '';
    const order = [...table.matchAll(/<th scope="row" class="name"><span class="together">([^<]*)</g)].map(
      ([, title]) => title,
    );
    const worst = (title: string | undefined): number => {
      const arch = run.architectures.find((architecture) => architecture.title === title)?.name;
      const is = run.worstCases?.find((w) => w.arch === arch && w.training === 'adversarial' && w.epsilon === 0.3);
      return is?.robustAccuracy ?? -1;
    };
    expect(order).toHaveLength(3);
    expect(order.map(worst)).toEqual(order.map(worst).toSorted((a, b) => b - a));
  });

  test('says as much of a network as is known of it', async () => {
    const headOf = async (known: object): Promise<string> => {
      const one = { name: 'vgg16', title: 'Theirs', idea: 'none', parameters: 61_706, ...known };
      const shown = await renderReport({ ...run, architectures: [one] });
      return /<th scope="row" class="name"><span class="together">Theirs<\/span>(.*?)<\/th>/su.exec(shown)?.[1] ?? '';
    };
    expect(await headOf({})).toBe('<small><span class="together">61.7 k parameters</span></small>');
    expect(await headOf({ year: 1998 })).toContain('<small>1998</small>');
    expect(await headOf({ paper: 'https://example.org' })).toContain(
      '<small><a href="https://example.org">paper</a></small>',
    );
  });

  describe('in its table of architectures', () => {
    const tableOf = (shown: string): string =>
      /<section id="architectures"[\s\S]*?<h2 id="provenance/u.exec(shown)?.[0] ?? '';
    /** The cells of an architecture's row, as words. */
    const rowOf = (shown: string, title: string): readonly string[] => {
      const row = new RegExp(`<tr><th[^>]*><span[^>]*>${title}<[\\s\\S]*?</tr>`, 'u').exec(tableOf(shown))?.[0] ?? '';
      return [...row.matchAll(/<(td|th)[^>]*>([\s\S]*?)<\/\1>/gu)].map(([, , cell = '']) => textOf(cell));
    };

    test('has the idea, the cost, the speed and the published error of each, the oldest first', async () => {
      const shown = await renderReport(await sampleRun({ architectures: ['mobilenet_v1', 'alexnet'], galleryRows: 0 }));
      const text = textOf(tableOf(shown));
      expect(text.indexOf('AlexNet')).toBeLessThan(text.indexOf('MobileNet V1'));
      const [name, idea, ...numbers] = rowOf(shown, 'MobileNet V1');
      expect(name).toBe('MobileNet V12017 · papersmall form, 1/8 width');
      expect(idea).toMatch(/^Filter every channel by itself/);
      expect(numbers.slice(0, 2)).toEqual(['215 k', '2.74 M']);
      expect(numbers.slice(-2)).toEqual(['29.4 %', '–']);
      expect(text).toContain('published one on ImageNet');
      expect(text).toContain('here: Howard et al. 2017, table 8; of AlexNet: torchvision, IMAGENET1K_V1.');
    });

    test('speaks of all ways of training together: mean rates, the largest memory', async () => {
      const one = { forwardPerSecond: 1000, gradientsPerSecond: 100, peakMemory: 300e6 };
      const other = { forwardPerSecond: 2000, gradientsPerSecond: 50, peakMemory: 200e6 };
      const performance = [
        { contender: 'vgg16/standard', ...one },
        { contender: 'vgg16/adversarial', ...other },
        // Of no network of the run: a name that only begins like one.
        { contender: 'vgg16/standard/other', ...one, peakMemory: 900e6 },
      ];
      const shown = await renderReport({ ...run, performance });
      expect(rowOf(shown, 'VGG-16').slice(4, 7)).toEqual(['1,500', '75', '300 MB']);
      expect(rowOf(shown, 'AlexNet').slice(4, 7)).toEqual(['–', '–', '–']);
      expect(textOf(shown)).toContain('rates are means');
    });

    test('says that the network attacked is not of the full form, here and in the table of accuracies', async () => {
      const shown = textOf(await renderReport(await sampleRun({ galleryRows: 0 })));
      expect(shown.match(/small form, 1\/8 width/g)).toHaveLength(2);
      expect(textOf(await renderReport(await sampleRun({ galleryRows: 0, facts: false })))).not.toContain('small form');
    });

    test('has no column for what an old run did not keep', async () => {
      const old = await renderReport(await sampleRun({ galleryRows: 0, facts: false }));
      expect(rowOf(old, 'VGG-16')).toEqual(['VGG-162014 · paper', expect.stringMatching(/^Nothing but/), '232 k']);
      for (const word of ['Multiply-adds', 'multiply-adds', 'On this machine', 'ImageNet'])
        expect(textOf(old)).not.toContain(word);
    });
  });

  test('colours a worst case only where accuracy fell by more than chance', async () => {
    const sample = await sampleRun({ galleryRows: 0, trainings: ['standard'] });
    const { worstCases: _, ...unharmed } = {
      ...sample,
      cells: sample.cells.map((cell) => ({
        ...cell,
        robustAccuracy: cell.cleanAccuracy,
        wilson95: cell.cleanWilson95,
      })),
    };
    const coloured = (shown: string): boolean[] =>
      [/<td class="worst fallen"/, /<strong class="attacked"/].map((mark) => mark.test(shown));
    expect(coloured(await renderReport(sample))).toEqual([true, true]);
    expect(coloured(await renderReport(unharmed))).toEqual([false, false]);
  });

  test('says of a setting that follows from others that it is automatic', async () => {
    const sample = await sampleRun({ galleryRows: 0 });
    const cells = sample.cells.map((cell) => ({ ...cell, params: { steps: 40, step: null, random: true } }));
    expect(textOf(await renderReport({ ...sample, cells }))).toContain('(steps 40, step auto, random true)');
  });

  test.each([
    ['held', {}, 'untargeted'],
    ['refused not finite', { adversarialTop: [] }, 'untargeted'],
    ['refused not an allowed image', { adversarialTop: [{ label: 99, name: 'x', confidence: 1 }] }, 'untargeted'],
    ['held another class, not the target', { adversarialTop: [{ label: 99, name: 'x', confidence: 1 }] }, 'targeted'],
    ['refused not an allowed image', { adversarialTop: [{ label: 3, name: '3', confidence: 1 }] }, 'targeted'],
    [
      'held the nearest found is farther than ε',
      { adversarialTop: [{ label: 99, name: 'x', confidence: 1 }] },
      ...(['untargeted', 'of minimum norm'] as const),
    ],
    [
      'held the nearest found is farther than ε',
      { adversarialTop: [{ label: 3, name: '3', confidence: 1 }] },
      ...(['targeted', 'of minimum norm'] as const),
    ],
  ] as const)('says of a picture that did not fool: %s', async (words, changes, kind, search?: string) => {
    const goal = kind === 'targeted' ? ({ kind, target: 3 } as const) : ({ kind } as const);
    const sample = await sampleRun({ galleryRows: 1, goal });
    const gallery = sample.gallery.slice(0, 1).map((item) => {
      const top = [{ ...item.label, confidence: 1 }];
      return { ...item, fooled: false, cleanTop: top, adversarialTop: top, ...changes };
    });
    const shown = await renderReport({
      ...sample,
      gallery: gallery.map((item) => ({ ...item, adversarialTop: [...item.adversarialTop] })),
      distances:
        search === undefined
          ? []
          : gallery.map(({ arch, training, attack, norm }) => ({
              ...{ arch, training, attack, norm: norm === 'spatial' ? 'Linf' : norm, median: 9, values: [9] },
            })),
    });
    expect(textOf(/<p class="verdict">.*?<\/p>/s.exec(shown)?.[0] ?? '').trim()).toBe(words);
  });

  test('gives every cell in the table of numbers', () => {
    const numbers = /<table class="plain[\s\S]*?<\/table>/u.exec(page)?.[0] ?? '';
    expect([...numbers.matchAll(/<tr>/g)]).toHaveLength(1 + run.cells.length);
  });

  test('says what is needed to make it again', () => {
    const text = textOf(page);
    const { commit, cpu, backend, dataset } = run.provenance;
    for (const fact of [run.command, String(commit), cpu, backend, dataset.sha256]) expect(text).toContain(fact);
  });

  test('names the files of a user from which attacks and defenses come by their hashes', async () => {
    expect(textOf(page)).not.toContain('File of');
    const [first, ...others] = run.attacks.map((attack) => ({ ...attack, sha256: 'c0de'.repeat(16) }));
    const attacks = [first, ...others.map(({ sha256: _, ...attack }) => attack)];
    const told = textOf(await renderReport({ ...run, attacks } as Run));
    expect(told.match(/File of .*/g)).toEqual([expect.stringContaining(`File of ${first?.name}`)]);
    expect(told).toContain('c0de'.repeat(16));
  });

  test('says of the backend on what it computed, and how far from the reference', async () => {
    expect(textOf(page)).not.toContain('differs from the reference');
    const provenance = { ...run.provenance, device: '<b>H100</b>', backendDifference: 1.28e-7 };
    const told = textOf(await renderReport({ ...run, provenance }));
    expect(told).toContain(
      "onnx-cpu on <b>H100</b>; the gradient of a small network differs from the reference's by 1.3e-7 of its largest entry",
    );
  });

  test('names the files that gave no image, the first of them and how many more', async () => {
    const skipped = Array.from({ length: 23 }, (_, i) => ({ id: `<b>${i}</b>.jpg`, why: 'it is damaged' }));
    const { provenance } = run;
    const told = textOf(
      await renderReport({ ...run, provenance: { ...provenance, dataset: { ...provenance.dataset, skipped } } }),
    );
    expect(told).toContain('23 files that gave no image: <b>0</b>.jpg (it is damaged); <b>1</b>.jpg (it is damaged); ');
    expect(told).toContain('<b>19</b>.jpg (it is damaged); and 3 more, in run.json');
    expect(textOf(page)).not.toContain('gave no image');
  });

  test('carries the run, but for the pictures that it shows', () => {
    const data = /<script type="application\/json" id="data-run">(.*?)<\/script>/u.exec(page)?.[1] ?? '';
    const bare = run.gallery.map((item) => ({ ...item, cleanPng: '', adversarialPng: '', perturbationPng: '' }));
    expect(JSON.parse(data)).toEqual({ ...run, gallery: bare });
  });

  test('is the same bytes for the same run', async () => {
    expect(await renderReport(structuredClone(run))).toBe(page);
  });

  test('lets nothing but its own script and style sheet run', () => {
    const policy = tagsOf(page).find((tag) => tag.attributes['http-equiv'] === 'Content-Security-Policy');
    const script = /<script>([\s\S]*?)<\/script>/u.exec(page)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    expect(policy?.attributes.content).toContain(`script-src &#39;sha256-${hash}&#39;`);
    expect(policy?.attributes.content).toContain('default-src &#39;none&#39;');
    expect(policy?.attributes.content).not.toContain('unsafe');
  });

  test('leaves out sections for which the run has nothing', async () => {
    const bare = await renderReport({ ...run, gallery: [], checks: [] });
    expect(bare).not.toContain('id="gallery"');
    expect(bare).not.toContain('id="checks"');
    expect(bare).not.toContain('class="flag"');
    expect(page).toContain('class="flag"');
  });

  test('stays below 5 MB by giving up pictures of every group alike, and says so', async () => {
    const picture = 'A'.repeat(40_000);
    const big = { cleanPng: picture, adversarialPng: picture, perturbationPng: picture };
    const rows = run.gallery.flatMap((item) => Array.from({ length: 10 }, () => ({ ...item, ...big })));
    const large = await renderReport({ ...run, gallery: rows });
    expect(large.length).toBeLessThan(5_000_000);
    const kept = [...large.matchAll(/<figure class="example/g)].length;
    expect(kept).toBeGreaterThan(30);
    expect(textOf(large)).toContain(`${rows.length - kept} of ${rows.length} gallery rows are left out`);
    const [standard, adversarial] = ['standard', 'adversarial'].map(
      (training) => new RegExp(`${training} training <span>.*? of (\\d+) fooled`).exec(large)?.[1],
    );
    expect(Math.abs(Number(standard) - Number(adversarial))).toBeLessThanOrEqual(1);
  });

  test('holds a clean picture once, however many attacks begin with it, so that more of their rows fit', async () => {
    const [item] = run.gallery as [Run['gallery'][number]];
    const picture = { adversarialPng: 'A'.repeat(10_000), perturbationPng: 'A'.repeat(10_000) };
    const gallery = Array.from({ length: 50 }, (_, i) =>
      ['fgsm', 'pgd', 'momentum', 'noise'].map((attack) => ({
        ...{ ...item, ...picture, attack },
        cleanPng: `${i}`.padStart(40_000, 'A'),
      })),
    ).flat();
    const large = await renderReport({ ...run, gallery });
    expect(large.length).toBeLessThan(5_000_000);
    const images = Math.floor(4_000_000 / (40_000 + 4 * 20_000));
    expect([...large.matchAll(/<figure class="example/g)]).toHaveLength(4 * images);
    const shared = tagsOf(large).filter(({ name }) => name === 'image');
    const uses = tagsOf(large).filter(({ name, attributes }) => name === 'use' && attributes.href === '#clean-0');
    expect(shared).toHaveLength(images);
    expect(uses.map(({ attributes }) => attributes.id)).toEqual([0, 1, 2, 3].map((i) => `gallery-${i}-cleanPng`));
  });
});

test('the script is at most 4 kB', () => expect(Buffer.byteLength(SCRIPT)).toBeLessThanOrEqual(4096));

test.each<[path: string, spoil: (run: Run) => unknown]>([
  ['schema', (good) => ({ ...good, schema: 'gibbon.run/2' })],
  ['cells', (good) => ({ ...good, cells: [] })],
  [
    'cells.1.robustAccuracy',
    (good) => ({ ...good, cells: good.cells.map((c, i) => (i === 1 ? { ...c, robustAccuracy: 1.5 } : c)) }),
  ],
  [
    'provenance.dataset.labels',
    (good) => ({ ...good, provenance: { ...good.provenance, dataset: { ...good.provenance.dataset, labels: 3 } } }),
  ],
  ['gallery.0.cleanPng', (good) => ({ ...good, gallery: good.gallery.map((g) => ({ ...g, cleanPng: '"><script>' })) })],
  [
    'architectures.0.paper',
    (good) => ({ ...good, architectures: good.architectures.map((a) => ({ ...a, paper: 'javascript:alert(1)' })) }),
  ],
])('a run whose %s is wrong is refused with that path', (path, spoil) => {
  expect(() => parseRun(JSON.parse(JSON.stringify(spoil(run))), 'x.json')).toThrow(
    `x.json is not a gibbon.run/1 file: ${path}:`,
  );
});

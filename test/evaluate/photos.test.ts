import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import type { Dataset } from '../../src/core/dataset.ts';
import { openFolder } from '../../src/data/folder.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { journalParts } from '../../src/evaluate/experiment-parts.ts';
import { journalKey } from '../../src/evaluate/journal/parts.ts';
import type { JournalRecord } from '../../src/evaluate/journal/record.ts';
import type { ExperimentPlan, Harness, ProgressEvent } from '../../src/evaluate/plan.ts';
import { tf } from '../../src/tf.ts';
import { picture, put, temporaryFolder } from '../data/pictures.ts';
import { contender, harness, plan, planned, smallClassifier } from './fixtures.ts';

const folder = temporaryFolder();
const FORM = { input: [4, 5, 1], resize: 5, classes: ['ant', 'bee', 'cat', 'dog'] } as const;
const networks = [contender(smallClassifier(1)), contender(smallClassifier(9), 'other')];
const attacks = [planned(fgsm), planned(pgd, { steps: 3 })];
const IMAGES = 9;

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (let i = 0; i < IMAGES; i++) await put(join(folder, `${i}.png`), picture(10 + i, 12, 3 * i));
  await writeFile(join(folder, '0-text.png'), 'text');
  await writeFile(join(folder, '7-text.png'), 'text');
});

const opened = (): Promise<Dataset> => openFolder(folder, 'test', FORM);

async function run(given: Partial<ExperimentPlan> = {}, rest: Partial<Harness> = {}) {
  const dataset = await opened();
  const full = { dataset, contenders: networks, images: 100, batch: 4, epsilons: [0, 0.2], ...given };
  return runExperiment(plan(attacks, full), harness(rest));
}

describe('photographs without labels', () => {
  it("are measured against each network's own clean predictions, and the run says so", async () => {
    const { cells, provenance, gallery } = await run({ galleryRows: 9 });
    for (const cell of cells) {
      expect(cell).toMatchObject({ images: IMAGES, cleanCorrect: IMAGES, cleanAccuracy: 1, unverified: 0 });
      if (cell.epsilon === 0) expect(cell.robustAccuracy).toBe(1);
    }
    expect(Math.min(...cells.map(({ robustCorrect }) => robustCorrect))).toBeLessThan(IMAGES);
    expect(provenance.dataset.labels).toBe("each network's own clean predictions");
    // Each picture's label is what the network sees in it, not a stand-in that no class has.
    for (const { label, cleanTop } of gallery) expect(label.label).toBe(cleanTop[0]?.label);
    expect(new Set(gallery.map(({ label }) => label.label)).size).toBeGreaterThan(1);
  });

  it('count by what could be read; the rest is named', async () => {
    const { provenance } = await run();
    expect(provenance.dataset).toMatchObject({ images: IMAGES, selection: `all ${IMAGES} images that could be read` });
    expect(provenance.dataset.skipped).toEqual([
      { id: '0-text.png', why: expect.stringMatching(/not a JPEG/) },
      { id: '7-text.png', why: expect.stringMatching(/not a JPEG/) },
    ]);
    expect(provenance.dataset.sha256).toBe(await (await opened()).hash());
  });

  it('that are some of many come in the seeded order; their hash covers every file that was opened', async () => {
    const [{ provenance }, again] = [await run({ images: 8 }), await run({ images: 8 })];
    const { skipped = [], ...facts } = provenance.dataset;
    expect(facts.images).toBe(8);
    expect(facts.selection).toMatch(/^the first 8 (that could be read )?of 11 images in the order of seed 3$/);
    expect(again.provenance.dataset).toEqual(provenance.dataset);
    expect(facts.sha256).toBe(await (await opened()).hash({ images: 8 + skipped.length, seed: 3 }));
  });

  it('give the same cells whatever the batch', async () => {
    const timeless = async (batch: number) => (await run({ batch })).cells.map(({ seconds: _, ...cell }) => cell);
    expect(await timeless(1)).toEqual(await timeless(16));
  });

  it('promise no more images than there are, once it is known', async () => {
    const events: ProgressEvent[] = [];
    await run({}, { onProgress: (event) => events.push(event) });
    const clean = events.filter(({ phase }) => phase === 'clean');
    const last = clean.findLast(({ contender: name }) => name === 'small-1/standard');
    expect([last?.done, last?.total]).toEqual([IMAGES, IMAGES]);
    const attack = events.filter(({ phase }) => phase === 'attack').at(-1);
    expect([attack?.done, attack?.total]).toEqual([2 * IMAGES, 2 * IMAGES]);
  });

  it('are told of as well when a run goes on whose clean pass is in the journal', async () => {
    const records: JournalRecord[] = [];
    const journal = {
      started: new Date(0).toISOString(),
      command: 'test',
      holdsResults: () => false,
      close: async () => undefined,
    };
    const first = await run({}, { journal: { ...journal, records: [], append: async (r) => void records.push(r) } });
    const clean = records.filter(({ kind }) => kind === 'clean');
    const second = await run({}, { journal: { ...journal, records: clean, append: async () => undefined } });
    expect(second.provenance.dataset).toEqual(first.provenance.dataset);
    expect(second.cells.map(({ robustCorrect }) => robustCorrect)).toEqual(
      first.cells.map(({ robustCorrect }) => robustCorrect),
    );
  });

  it('decide the key of the journal with their content', async () => {
    const key = async () =>
      journalKey(await journalParts(plan(attacks, { dataset: await opened(), images: 100 }), harness()));
    const before = await key();
    expect(await key()).toBe(before);
    const extra = await put(join(folder, '99.png'));
    expect(await key()).not.toBe(before);
    await rm(extra);
    expect(await key()).toBe(before);
  });
});

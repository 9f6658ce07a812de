import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import type { Run } from '../../src/core/run.ts';
import { csvFiles } from '../../src/report/csv.ts';
import { renderReport } from '../../src/report/page.ts';
import { readRun } from '../../src/report/read.ts';
import { writeIndex, writeReport } from '../../src/report/write.ts';
import { textOf } from './markup.ts';
import { sampleRun } from './sample-run.ts';

let folder: string;
let run: Run;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-report-'));
  run = await sampleRun({ galleryRows: 1, epsilons: [0.3], attacks: ['fgsm'] });
});

afterEach(() => rm(folder, { recursive: true }));

async function place(name: string, started: string, withPage = true): Promise<void> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'run.json'), JSON.stringify({ ...run, provenance: { ...run.provenance, started } }));
  if (withPage) await writeFile(join(path, 'report.html'), '');
}

describe('writing a report', () => {
  test('leaves the page and the CSV, and nothing else', async () => {
    expect(await writeReport(folder, run)).toBe(join(folder, 'report.html'));
    expect((await readdir(folder)).sort()).toEqual(['report.html', 'table.csv']);
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(await renderReport(run));
    expect(await readFile(join(folder, 'table.csv'), 'utf8')).toBe(csvFiles(run)['table.csv']);
  });

  test('leaves a table of transfer and one of distances, where there are any', async () => {
    const rich = await sampleRun({ galleryRows: 0, epsilons: [0.3], transfer: true, distances: true });
    await writeReport(folder, rich);
    const names = ['distances.csv', 'report.html', 'table.csv', 'transfer.csv'];
    expect((await readdir(folder)).sort()).toEqual(names);
    for (const [name, table] of Object.entries(csvFiles(rich)))
      expect(await readFile(join(folder, name), 'utf8')).toBe(table);
    for (const name of ['transfer.csv', 'distances.csv'])
      expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain(`<a href="${name}" download="${name}">`);
  });

  test('fails in one line where it cannot write, and leaves nothing half-written', async () => {
    await mkdir(join(folder, 'report.html'));
    await expect(writeReport(folder, run)).rejects.toThrow(/^cannot write .*report\.html: .+$/);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('reading a run', () => {
  test('gives back what was written', async () => {
    await place('a', run.provenance.started);
    expect(await readRun(join(folder, 'a'))).toEqual(run);
  });

  test.each([
    ['is missing', undefined, /cannot read .*run\.json: no such file/],
    ['was cut short', '{"schema": "gibb', /run\.json is not JSON: .+ Was it cut short\?/],
    ['is of another kind', '{"schema": "other/1"}', /run\.json is not a gibbon\.run\/1 file: schema: /],
  ])('names the file that %s', async (_what, text, message) => {
    if (text !== undefined) await writeFile(join(folder, 'run.json'), text);
    const reading = readRun(folder);
    await expect(reading).rejects.toBeInstanceOf(UserError);
    await expect(reading).rejects.toThrow(message);
  });
});

describe('the index', () => {
  test('lists runs newest first, each with its finding and a link', async () => {
    await place('old', '2026-01-01T00:00:00Z');
    await place('new', '2026-03-01T00:00:00Z');
    await place('middle & <odd> #1', '2026-02-01T00:00:00Z');
    const page = await readFile(await writeIndex(folder), 'utf8');
    const links = [...page.matchAll(/<a href="([^"]*)">(.*?)<\/a>/g)];
    expect(links.map(([, link]) => link)).toEqual([
      'new/report.html',
      'middle%20%26%20%3Codd%3E%20%231/report.html',
      'old/report.html',
    ]);
    for (const [, , text] of links)
      expect(textOf(text ?? '')).toMatch(/^Under fgsm at L∞ ε = 0\.3, VGG-16 falls from .* %/);
    expect(page).toContain('<code>middle &amp; &lt;odd&gt; #1</code>');
  });

  test('names broken and foreign folders instead of failing, and passes over files', async () => {
    await place('good', '2026-01-01T00:00:00Z');
    await mkdir(join(folder, 'empty'));
    await mkdir(join(folder, 'broken'));
    await mkdir(join(folder, '.hidden'));
    await mkdir(join(folder, 'halfway'));
    await writeFile(join(folder, 'halfway', 'journal.ndjson'), '');
    await writeFile(join(folder, 'broken', 'run.json'), '<script>{');
    await writeFile(join(folder, 'README.md'), 'not a run');
    const page = await readFile(await writeIndex(folder), 'utf8');
    expect(page).toContain('1 run, newest first');
    expect(page).toMatch(/<li><code>broken<\/code> run\.json is not JSON/);
    expect(page).toMatch(/<li><code>empty<\/code> cannot read run\.json: no such file/);
    expect(page).toMatch(/<li><code>halfway<\/code> interrupted; go on with --out halfway --resume/);
    expect(page).not.toMatch(/hidden<|README/);
  });

  test('links to the data where the page is missing', async () => {
    await place('bare', '2026-01-01T00:00:00Z', false);
    expect(await readFile(await writeIndex(folder), 'utf8')).toContain('href="bare/run.json"');
  });

  test('of an empty folder says so', async () => {
    expect(await readFile(await writeIndex(folder), 'utf8')).toContain('No run yet');
  });
});

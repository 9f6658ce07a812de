import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRun, type Run } from '../../src/core/run.ts';
import { csvFiles } from '../../src/report/csv.ts';
import { findingText } from '../../src/report/finding.ts';
import { renderIndex } from '../../src/report/index-page.ts';
import { renderReport } from '../../src/report/page.ts';
import { toTable } from '../../src/report/table.ts';
import { writeReport } from '../../src/report/write.ts';
import { textOf } from './markup.ts';
import { certifiedRun, sampleCertificates } from './sample-certificates.ts';
import { sampleRun } from './sample-run.ts';

let run: Run;
let page: string;
beforeAll(async () => {
  run = await certifiedRun(['vgg16', 'resnet18'], [0.25, 0.5]);
  page = await renderReport(run);
});

const sectionOf = (html: string, id: string): string =>
  new RegExp(`<section id="${id}".*?\\n</section>\n`, 's').exec(html)?.[0] ?? '';

describe('a run that certifies', () => {
  it('is one that the schema accepts without cells, and refuses with neither', () => {
    expect(parseRun(JSON.parse(JSON.stringify(run)), 'it').certificates).toHaveLength(4);
    const { certificates: _, ...empty } = run;
    expect(() => parseRun(empty, 'it')).toThrow(
      /^it is not a gibbon.run\/1 file: cells: a run has cells, or certificates$/,
    );
  });

  it('is told in one sentence: the best network at the customary radius, with its interval and its confidence', () => {
    expect(findingText(run)).toMatch(
      /^The best of 4 certified: smoothed with noise of σ = 0.5, VGG-16 classifies \d\d\.\d % \[\d\d\.\d–\d\d\.\d\] of the images correctly under every L2 perturbation up to 0.5, certified with 99.9 % confidence an image\.$/,
    );
  });

  it('speaks of the largest radius that there is, where the customary one is out of reach', () => {
    const certificates = [sampleCertificates({ arch: 'vgg16', training: 'a', sigma: 0.1, images: 50 })];
    expect(findingText({ ...run, certificates })).toMatch(/^Smoothed .* under every L2 perturbation up to 0.25, /);
    const none = certificates.map((entry) => ({ ...entry, accuracies: entry.accuracies.slice(0, 1) }));
    expect(findingText({ ...run, certificates: none })).toMatch(/ perturbation of some radius, /);
  });

  it('compares only those that can show the radius with their samples, and says which cannot', () => {
    const certificates = [0.1, 0.15, 0.25, 0.5].map((sigma) =>
      sampleCertificates({ arch: 'vgg16', training: 'a', sigma, images: 50 }),
    );
    const able = certificates.slice(2);
    // 3.2 σ: 0.32 and 0.48.
    expect(findingText({ ...run, certificates })).toBe(
      findingText({ ...run, certificates: able }).replace(
        /\.$/,
        '; with 10,000 samples, σ = 0.1 and 0.15 cannot show so large a radius.',
      ),
    );
    expect(findingText({ ...run, certificates: able })).toMatch(/^The best of 2 certified: .* up to 0\.5, [^;]*$/);
    expect(findingText({ ...run, certificates: certificates.slice(0, 3) })).toMatch(
      /^Smoothed with noise of σ = 0\.25,/,
    );
  });

  it('has a page with its finding, its curves and its table, and no place for attacks', () => {
    const words = textOf(page);
    expect(words).toContain(findingText(run).slice(0, 40));
    for (const id of ['headline', 'accuracy', 'gallery', 'checks']) expect(page).not.toContain(`<section id="${id}"`);
    const section = sectionOf(page, 'certified');
    expect(section.match(/<svg[^>]* role="img"/g)).toHaveLength(2);
    expect(section.match(/<tr>/g)).toHaveLength(1 + 4);
    expect(textOf(section)).toMatch(/Abstained: 10, 10, 10 and 10 of 200/);
    expect(textOf(section)).toMatch(
      /holds with 99.9 % confidence: of 200 images, 0.2 at most are expected to have one that is too large/,
    );
    expect(page).toContain('<title>VGG-16 and ResNet-18 certified, MNIST – Gibbon</title>');
  });

  it('speaks of the networks as certified, not as attacked', async () => {
    expect(textOf(sectionOf(page, 'architectures'))).toMatch(
      /The ideas, .* that were certified cost\..*The network certified/,
    );
    expect(textOf(sectionOf(page, 'architectures'))).not.toContain('attacked');
    const attacked = await renderReport(await sampleRun({ galleryRows: 0 }));
    expect(textOf(sectionOf(attacked, 'architectures'))).toMatch(/that was attacked costs\..*The network attacked/);
  });

  it('says nothing of radii that so many samples cannot show', () => {
    const [row = ''] = /<tr><th scope="row">VGG-16.*?<\/tr>/s.exec(sectionOf(page, 'certified')) ?? [];
    // σ = 0.25 reaches 0.8, σ = 0.5 reaches 1.6.
    expect(row.match(/more than so many samples can show/g)).toHaveLength(3);
  });

  it('prints a table, a line for every network and level of noise', () => {
    const lines = toTable(run, { colour: false, width: 120 }).split('\n');
    const from = lines.findIndex((line) =>
      line.startsWith('MNIST, 200 images, certified accuracy by L2 radius, 10,000'),
    );
    expect(lines[from + 1]?.trim().split(/\s+/)).toEqual([
      'σ',
      '0',
      '0.25',
      '0.5',
      '0.75',
      '1',
      '1.25',
      '1.5',
      'abstains',
    ]);
    expect(lines.slice(from + 2)).toHaveLength(4);
    expect(lines[from + 2]).toMatch(/^VGG-16 +randomized-smoothing +0.25 .* – +– +– +5.0 %$/);
  });

  it('has a table as CSV, and none of cells', () => {
    const files = csvFiles(run);
    expect(Object.keys(files)).toEqual(['certificates.csv']);
    const [head = '', ...rows] = (files['certificates.csv'] ?? '').trim().split('\r\n');
    expect(head).toBe(
      'arch,training,norm,sigma,selectionSamples,samples,alpha,images,abstained,averageRadius,radius,correct,accuracy,wilsonLow,wilsonHigh',
    );
    expect(rows).toHaveLength(2 * (4 + 7));
  });

  it('stands in the list of runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gibbon-certified-'));
    try {
      await writeReport(join(folder, 'one'), run);
      await writeFile(join(folder, 'one', 'run.json'), JSON.stringify(run));
      const words = textOf(await renderIndex(folder));
      expect(words).toMatch(/VGG-16 and ResNet-18 certified by randomized smoothing · 200 MNIST test images/);
      expect(await readFile(join(folder, 'one', 'certificates.csv'), 'utf8')).toContain('randomized-smoothing');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('may attack as well: then its certificates are a section beside the others', async () => {
    const certificates = [sampleCertificates({ arch: 'vgg16', training: 'standard', sigma: 0.25, images: 40 })];
    const both = { ...(await sampleRun({ galleryRows: 0 })), certificates };
    const whole = await renderReport(both);
    for (const id of ['headline', 'accuracy', 'certified']) expect(whole).toContain(`<section id="${id}"`);
    expect(findingText(both)).toMatch(/^Under /);
  });

  it('is drawn though nothing is certified at all', async () => {
    const certificates = [sampleCertificates({ arch: 'vgg16', training: 'a', sigma: 0.25, images: 4 })].map(
      (entry) => ({
        ...entry,
        values: entry.values.map((value) => ({ ...value, radius: null })),
        abstained: 4,
        accuracies: entry.accuracies.map((at) => ({ ...at, correct: 0, accuracy: 0 })),
      }),
    );
    const nothing = await renderReport({ ...run, certificates });
    expect(nothing.slice(nothing.indexOf('<main>'), nothing.indexOf('</main>'))).not.toMatch(/NaN|Infinity|undefined/);
    expect(textOf(nothing)).toMatch(/classifies 0.0 % /);
  });
});

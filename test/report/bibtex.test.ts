import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { loadAttacks, loadDefenses } from '../../src/discover/modules.ts';
import { architectures } from '../../src/models/registry.ts';
import { PAPERS, TRAINING_PAPERS } from '../../src/report/bibliography.ts';
import { bibtexOf } from '../../src/report/bibtex.ts';
import { sampleRun } from './sample-run.ts';

describe('the bibliography', () => {
  test('knows the paper of every attack, defense and architecture', async () => {
    const known = [...(await loadAttacks()).values(), ...(await loadDefenses()).values(), ...architectures];
    const unknown = known.filter(({ paper }) => paper !== undefined && !PAPERS.has(paper));
    expect(unknown.map(({ name }) => name)).toEqual([]);
  });

  test('has the papers of ways of training as the defenses name them', async () => {
    const trainings = [...(await loadDefenses()).values()].filter(
      ({ name, trainingLoss }) => trainingLoss !== undefined && name !== 'standard',
    );
    expect(TRAINING_PAPERS).toEqual(Object.fromEntries(trainings.map(({ name, paper }) => [name, paper])));
  });

  test('has no key twice, and years as keys and addresses say', () => {
    const papers = [...PAPERS];
    expect(new Set(papers.map(([, { key }]) => key)).size).toBe(papers.length);
    for (const [url, { key, year }] of papers) {
      expect(key).toContain(String(year));
      const preprint = /abs\/(\d\d)\d\d\./.exec(url)?.[1];
      if (preprint !== undefined) expect(year - (2000 + Number(preprint))).toBeOneOf([0, 1, 2]);
    }
  });

  test('calls papers what the headers of the files call them', async () => {
    const plain = (text: string): string =>
      text
        .replace(/\n \*/g, ' ')
        .replace(/[^A-Za-z0-9]+/g, ' ')
        .toLowerCase();
    const folders = ['attacks', 'defenses', 'src/models'];
    const files = await Promise.all(
      folders.map(async (folder) => (await readdir(folder)).map((file) => `${folder}/${file}`)),
    );
    const sources = await Promise.all(files.flat().map((file) => readFile(file, 'utf8').catch(() => '')));
    const all = plain(sources.join('\n'));
    const absent = [...PAPERS.values()].filter(({ title }) => !all.includes(plain(title)));
    expect(absent.map(({ title }) => title)).toEqual([]);
  });
});

describe('the BibTeX of a run', () => {
  test('has the program, and each paper once', async () => {
    const run = await sampleRun({ architectures: ['vgg16', 'resnet18'], histories: true });
    const keys = [...bibtexOf(run).matchAll(/^@\w+\{(.*),$/gm)].map(([, key]) => key);
    const attacks = ['fawzi2016robustness', 'goodfellow2015explaining', 'madry2018towards'];
    expect(keys.toSorted()).toEqual(['gibbon', ...attacks, 'he2016deep', 'simonyan2015very'].toSorted());
  });

  test('closes every brace, whatever an attack of the user is called', async () => {
    const run = await sampleRun({});
    const attacks = run.attacks.map((attack) => ({
      ...attack,
      ...{ name: '}{\\input', title: '}},\n@misc{x, \\write18{', paper: 'https://example.org/~a_b/{%7D?c&d#e' },
    }));
    const text = bibtexOf({ ...run, attacks });
    expect(text.split('{').length).toBe(text.split('}').length);
    expect(text).toContain(
      '@misc{input,\n  title = {{, @misc x,  write18}},\n  url = {https://example.org/~a_b/%7B%7D?c&d#e},\n}',
    );
    expect(text).not.toContain('\\');
  });
});

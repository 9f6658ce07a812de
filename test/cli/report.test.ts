import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { sampleRun } from '../report/sample-run.ts';
import { listen } from './workplace.ts';

const before = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-report-'));
  process.chdir(folder);
  for (const arch of ['vgg16', 'resnet18']) {
    await mkdir(arch);
    const run = await sampleRun({ architectures: [arch], epsilons: [0.1, 0.3], images: 50, galleryRows: 0 });
    await writeFile(join(arch, 'run.json'), JSON.stringify({ ...run, id: arch }));
  }
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

async function report(...words: string[]) {
  const heard = listen();
  return { code: await main(['report', ...words], heard.terminal), ...heard };
}

const runFile = (of: string) => parseRun(JSON.parse(readFileSync(join(of, 'run.json'), 'utf8')), of);

describe('gibbon report', () => {
  it('of several folders makes the views of each again, and says how to join them', async () => {
    const { code, out, err } = await report('vgg16', join('resnet18', 'run.json'));
    expect(code).toBe(0);
    expect(out).toHaveLength(2);
    expect(err).toEqual([
      ...['wrote vgg16/report.html', 'wrote resnet18/report.html'],
      'as one comparison: gibbon report vgg16 resnet18/run.json --out FOLDER',
    ]);
  });

  it('with --out joins them, and leaves them as they are', async () => {
    const time = statSync(join('vgg16', 'report.html')).mtimeMs;
    const { code, out, err } = await report('vgg16', 'resnet18', '--out', 'both');
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/VGG-16.*ResNet-18/s);
    expect(err).toEqual(['wrote both/report.html']);
    const { id, command, cells, sources } = runFile('both');
    expect([id, command]).toEqual(['both', 'gibbon report vgg16 resnet18 --out both']);
    expect(cells).toEqual([...runFile('vgg16').cells, ...runFile('resnet18').cells]);
    expect(sources?.map((source) => source.id)).toEqual(['vgg16', 'resnet18']);
    expect(sources?.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
    expect(existsSync(join('both', 'table.csv'))).toBe(true);
    expect(statSync(join('vgg16', 'report.html')).mtimeMs).toBe(time);
  });

  it('writes over what was joined, for that can be joined again, and over nothing else', async () => {
    const { code, out } = await report('resnet18', 'vgg16', '--out', 'both', '--json');
    expect(code).toBe(0);
    expect(parseRun(JSON.parse(out.join('\n')), 'stdout')).toEqual(runFile('both'));
    expect(runFile('both').sources?.[0]?.id).toBe('resnet18');
    expect(await report('both', 'vgg16', '--out', 'resnet18')).toMatchObject({ code: 2 });
    expect(runFile('resnet18').sources).toBeUndefined();
    const kept = readFileSync(join('both', 'run.json'), 'utf8');
    const own = await report(join('both', 'run.json'), 'vgg16', '--out', './both/');
    expect([own.code, own.err.join('\n')]).toEqual([2, expect.stringContaining('is one of the runs to be joined')]);
    expect(readFileSync(join('both', 'run.json'), 'utf8')).toBe(kept);
  });

  it('refuses what cannot be meant before it writes', async () => {
    const refused = async (...words: string[]) => {
      const { code, err } = await report(...words);
      return [code, err.join('\n')];
    };
    expect(await refused('vgg16', '--out', 'one')).toEqual([2, expect.stringContaining('name more')]);
    expect(await refused('vgg16', 'resnet18', '--json')).toEqual([2, expect.stringContaining('--json prints one run')]);
    expect(await refused('vgg16', 'vgg16', '--out', 'one')).toEqual([1, expect.stringContaining('the same run')]);
    expect(existsSync('one')).toBe(false);
  });
});

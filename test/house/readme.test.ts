import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inventory, toMarkdown } from '../../src/cli/inventory.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { parseRun } from '../../src/core/run.ts';
import { makeWorkplace, NETWORK } from '../cli/workplace.ts';

const path = (file: string): string => join(PACKAGE_ROOT, file);
const read = (file: string): string => readFileSync(path(file), 'utf8');
const README = read('README.md');

/** The code blocks of a language, in their order. */
const blocks = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, code = '']) => code);

describe('the two commands of the README', () => {
  const commands = blocks('sh')[0]?.trim().split('\n') ?? [];

  it('stand at its top', () => {
    expect(commands).toEqual(['npm ci && npm run experiment -- --attack fgsm --arch vgg16', 'npm ci && npm test']);
  });

  it('are those that continuous integration runs', () => {
    const executed = read('.ci/run')
      .split('\n')
      .filter((line) => line.startsWith('{ npm ci'));
    expect(executed).toHaveLength(commands.length);
    commands.forEach((command, i) => {
      expect(executed[i]?.startsWith(`{ ${command}`), command).toBe(true);
    });
  });
});

describe('the attack of the README', () => {
  const source = blocks('ts')[0] ?? '';

  it('is the example that the compiler checks', () => {
    expect(source).toBe(read('examples/momentum.ts'));
  });

  it('runs as a stranger would run it: a file in some folder, given by its path', async () => {
    const work = await makeWorkplace();
    const elsewhere = await mkdtemp(join(tmpdir(), 'gibbon-stranger-'));
    try {
      const file = join(elsewhere, 'momentum.ts');
      await writeFile(file, source);
      const words = ['--attack', file, '--momentum.steps', '3', '--images', '20', '--epsilon', '0.3', '--json'];
      const program = [path('bin/gibbon.js'), 'experiment', ...NETWORK, ...words];
      const { status, stdout, stderr } = spawnSync(process.execPath, program, { cwd: work.folder, encoding: 'utf8' });
      expect(stderr).toMatch(/^wrote /m);
      expect(status).toBe(0);
      const { cells } = parseRun(JSON.parse(stdout), 'stdout');
      expect(cells.find(({ attack }) => attack === 'momentum')?.params).toEqual({ steps: 3, decay: 1 });
    } finally {
      await rm(elsewhere, { recursive: true });
      await work.remove();
    }
  });
});

describe('the tables of the README', () => {
  it('are what the registries hold (UPDATE_README=1 writes them anew)', async () => {
    const [begin, end] = ['<!-- tables', '<!-- end of tables -->'];
    const from = README.indexOf('\n', README.indexOf(begin)) + 1;
    const to = README.indexOf(end);
    expect(README.indexOf(begin)).toBeGreaterThan(0);
    expect(to).toBeGreaterThan(from - 1);
    const made = `\n${toMarkdown(await inventory())}\n\n`;
    if (process.env.UPDATE_README === '1') {
      writeFileSync(path('README.md'), README.slice(0, from) + made + README.slice(to));
    } else {
      expect(README.slice(from, to)).toBe(made);
    }
  });
});

describe('the picture of the README', () => {
  it('is small, and stands with the command that makes it', async () => {
    expect(README).toMatch(/!\[[^\]]+\]\(docs\/gallery\/report\.png\)\n\n.*\n`npx tsx docs\/gallery\.ts`/);
    const picture = readFileSync(path('docs/gallery/report.png'));
    expect(picture.length).toBeLessThan(200_000);
    const { format, width, height = 0 } = await sharp(picture).metadata();
    expect([format, width]).toEqual(['png', 1120]);
    expect(height).toBeGreaterThan(1000);
  });
});

const linksIn = (text: string): string[] =>
  [...text.matchAll(/\]\((?!https:)([^)]+)\)/g)].map(([, target = '']) => target);

describe('the gallery', () => {
  it('shows pictures that are there, each small enough to be fetched at a glance', () => {
    const shown = linksIn(read('docs/gallery/README.md'));
    expect(shown.length).toBeGreaterThan(5);
    for (const file of shown) {
      const bytes = readFileSync(path(`docs/gallery/${file}`)).length;
      expect(bytes).toBeLessThan(file.endsWith('.html') ? 5_000_000 : 400_000);
    }
  });
});

describe('what the README points to', () => {
  it('is there', () => {
    const links = linksIn(README);
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    for (const link of links) expect(() => read(link)).not.toThrow();
    for (const [, script] of README.matchAll(/npm run ([a-z][a-z:-]*)/g)) expect(scripts).toContain(script);
  });
});

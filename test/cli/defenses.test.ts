import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { behind, isDefended, trainingWords } from '../../src/core/training.ts';
import { inWorkplace, listen, NETWORK, SMALL } from './workplace.ts';

describe('what a defended network is called', () => {
  it.each([
    ['standard', 'standard+jpeg'],
    ['standard/mine', 'standard+jpeg/mine'],
  ])('%s becomes %s, which tells its parts again', (called, defended) => {
    expect(behind(called, 'jpeg')).toBe(defended);
    expect(trainingWords(defended)).toEqual({ ...trainingWords(called), defense: 'jpeg' });
  });

  it('says nothing of its training', () => {
    expect(['standard+jpeg', 'given+jpeg', 'adversarial+jpeg', 'adversarial'].map(isDefended)).toEqual([
      ...[false, false, true, true],
    ]);
  });
});

describe('--defense', () => {
  inWorkplace();

  async function run(...words: string[]) {
    const heard = listen();
    const flags = [...NETWORK, ...SMALL, '--attack', 'fgsm', '--sanity', '0', ...words];
    return { code: await main(['experiment', ...flags], heard.terminal), ...heard };
  }

  it('measures every network as it is and behind each defense, and shows both adversaries', async () => {
    const { code, out, err } = await run('--defense', 'jpeg,bit-depth', '--jpeg.quality', '40', '--out', 'both');
    expect(err).toContain(`naive and adaptive attacks on defended networks: ${join('both', 'report.html')}#defenses`);
    expect(code).toBe(0);
    const made = parseRun(JSON.parse(readFileSync(join('both', 'run.json'), 'utf8')), 'both');
    const trainings = [...new Set(made.cells.map(({ training }) => training))];
    expect(trainings).toEqual(['standard', 'standard+jpeg', 'standard+bit-depth']);
    expect(made.defended).toHaveLength(2 * 3);
    expect(made.defenses?.[0]).toMatchObject({ name: 'jpeg', params: { quality: 40 } });
    expect(made.config).toMatchObject({ defense: ['jpeg', 'bit-depth'], 'jpeg.quality': 40 });
    expect(out.join('\n')).toMatch(/Defenses, naive and adaptive attacks, .*\n +attack +clean +naive +adaptive/);
    expect(readFileSync(join('both', 'report.html'), 'utf8')).toContain('<section id="defenses"');
    expect(readFileSync(join('both', 'defenses.csv'), 'utf8').split('\r\n')).toHaveLength(1 + 6 + 1);
  });

  it('takes a file of the user’s own, and counts it in a dry run', async () => {
    await writeFile(
      'invert.ts',
      `import { defineDefense, preprocess } from 'gibbon';
export default defineDefense({
  name: 'invert', title: 'Inversion', paper: 'https://example.org', params: {},
  wrap: (classifier) => ({ classifier: preprocess(classifier, (x) => x.neg().add(1)) }),
});`,
    );
    const { code, out } = await run('--defense', './invert.ts', '--dry-run', '--json');
    expect(code).toBe(0);
    const { networks, attacks } = JSON.parse(out.join(''));
    expect(networks).toEqual(['vgg11/standard', 'vgg11/standard+invert']);
    const items = (name: string): number => attacks.find(({ attack }: { attack: string }) => attack === name)?.items;
    expect(items('fgsm')).toBe(2 * items('fgsm, naive'));
  });

  it.each([
    [['--defense', 'jpg'], /unknown defense "jpg"\. Did you mean "jpeg"/],
    [['--defense', 'pgd-training'], /it is a way of training.*--training adversarial/],
    [['--defense', 'none', '--jpeg.quality', '40'], /--jpeg\.quality is given, but jpeg takes no part/],
    [['--defense', 'jpeg', '--jpeg.quality', '0'], /--jpeg\.quality is "0"; it must be a whole number, 1 to 100/],
  ] as const)('%j is refused in one line', async (words, message) => {
    const { code, err } = await run(...words, '--out', 'never');
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(message);
  });
});

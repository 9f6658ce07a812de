import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { trainingRecordOf } from '../core/training-record.ts';
import { inWorkplace, listen, NETWORK, saveNetwork } from './workplace.ts';

inWorkplace();

async function run(...words: string[]) {
  const heard = listen();
  return { code: await main(['certify', ...words], heard.terminal), ...heard };
}

const FEW = ['--images', '3', '--samples', '60', '--selection', '10', '--sigma', '0.1,0.3'];

const runOf = (folder: string) => parseRun(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')), folder);

describe('gibbon certify', () => {
  it('writes a run with its views, and prints its table', async () => {
    const { code, out, err } = await run(...NETWORK, ...FEW, '--out', 'made', '--quiet');
    expect(err).toEqual(['wrote made/report.html']);
    expect(code).toBe(0);
    expect(readdirSync('made').sort()).toEqual(['certificates.csv', 'journal.ndjson', 'report.html', 'run.json']);
    const { certificates, config, cells } = runOf('made');
    expect(cells).toEqual([]);
    expect(certificates?.map(({ sigma, images, samples }) => [sigma, images, samples])).toEqual([
      [0.1, 3, 60],
      [0.3, 3, 60],
    ]);
    expect(config).toMatchObject({ sigma: [0.1, 0.3], samples: 60, selection: 10, alpha: 0.001, images: 3 });
    expect(out.join('\n')).toMatch(
      /certified accuracy by L2 radius, 60 samples, 99.9 % confidence\n +σ +0 .*abstains\n/,
    );
    // A header, and a row for each level of noise and radius.
    const radii = certificates?.flatMap(({ accuracies }) => accuracies).length;
    expect(readFileSync('made/certificates.csv', 'utf8').trim().split('\r\n')).toHaveLength(1 + (radii ?? 0));
  });

  it('gives the same certificates whatever the batch, and from its own config', async () => {
    await run(...NETWORK, ...FEW, '--out', 'again', '--batch', '7', '--quiet');
    const essence = (folder: string) => runOf(folder).certificates?.map(({ seconds: _, ...rest }) => rest);
    expect(essence('again')).toEqual(essence('made'));
    const { code, out } = await run(...NETWORK, ...FEW, '--json', '--out', 'json');
    expect(code).toBe(0);
    expect(parseRun(JSON.parse(out.join('\n')), 'stdout').certificates).toHaveLength(2);
  });

  it('goes on with a run that is done already, without computing anything', async () => {
    const { code } = await run(...NETWORK, ...FEW, '--out', 'made', '--resume');
    expect(code).toBe(0);
    expect((await run(...NETWORK, ...FEW, '--seed', '1', '--out', 'made', '--resume')).err.join()).toMatch(
      /made.journal.ndjson belongs to another run: .*the seed.* from this one's/,
    );
  });

  it('is in the list of runs, and report makes its views again', async () => {
    await run(...NETWORK, ...FEW, '--quiet');
    const [folder] = readdirSync('reports').filter((name) => name !== 'index.html');
    expect(folder).toMatch(/^\d{4}-\d\d-\d\d-\d{6}-certify-vgg11$/);
    expect(readFileSync('reports/index.html', 'utf8')).toMatch(/VGG-11 certified by randomized smoothing/);
    const heard = listen();
    expect(await main(['report', 'made'], heard.terminal)).toBe(0);
  });

  it('takes the noise of the training, where nobody says another', async () => {
    const defense = { name: 'randomized-smoothing', params: { sigma: 0.12 } };
    await saveNetwork('trained.safetensors', { record: trainingRecordOf({ defense }) });
    const few = FEW.slice(0, FEW.indexOf('--sigma'));
    await run('--weights', 'trained.safetensors', ...few, '--out', 'trained', '--quiet');
    const { certificates, config } = runOf('trained');
    expect([certificates?.map(({ sigma }) => sigma), config.sigma]).toEqual([[0.12], undefined]);
  });

  it.each([
    [['--sigma', '0'], 2, /--sigma is "0"; it must be a comma-separated list, each a number, above 0/],
    [['--sigma', 'much'], 2, /--sigma is "much"/],
    [['--alpha', '1'], 2, /--alpha is "1"; it must be a number, above 0 and below 1/],
    [['--samples', '5'], 2, /5 samples can certify nothing at alpha 0.001: give 10 or more/],
    [['--images', '100000'], 2, /--images 100000: the test split of mnist has 10000 images/],
    [['--resume'], 2, /--resume needs --out/],
    [['--smaples', '100'], 2, /unknown flag --smaples. Did you mean --samples\?/],
    [['--training', 'randomized-smoothing'], 1, /gibbon train --arch vgg11 --training randomized-smoothing makes it/],
  ])('refuses %j in one line, and leaves nothing behind', async (words, code, complaint) => {
    const refused = await run(
      '--arch',
      'vgg11',
      ...(words.includes('--training') ? [] : NETWORK.slice(2)),
      ...words,
      ...(words.includes('--resume') ? [] : ['--out', 'refused']),
    );
    expect(refused.err.join('\n')).toMatch(complaint);
    expect(refused.err).toHaveLength(1);
    expect(refused.code).toBe(code);
    expect(existsSync('refused')).toBe(false);
  });
});

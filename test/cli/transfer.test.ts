import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transferEpsilonOf } from '../../src/cli/experiment/transfer.ts';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { ARCH, listen, makeWorkplace, NETWORK, SMALL, saveNetwork, type Workplace } from './workplace.ts';

const MNIST = [28, 28, 1] as const;

describe('the radius of a transfer', () => {
  it('is that of the headline, unless another is given', () => {
    const asked = { transfer: true, norm: 'Linf' } as const;
    expect(transferEpsilonOf({ ...asked, 'transfer.epsilon': null }, 0.3, MNIST)).toBe(0.3);
    expect(transferEpsilonOf({ ...asked, 'transfer.epsilon': 0.1 }, 0.3, MNIST)).toBe(0.1);
  });

  it('is none where no transfer is asked for', () => {
    const idle = { transfer: false, norm: 'Linf' } as const;
    expect(transferEpsilonOf({ ...idle, 'transfer.epsilon': null }, 0.3, MNIST)).toBeUndefined();
    expect(() => transferEpsilonOf({ ...idle, 'transfer.epsilon': 0.1 }, 0.3, MNIST)).toThrow(
      '--transfer.epsilon 0.1 is given without --transfer; give both',
    );
  });

  it('is refused where it cannot be meant', () => {
    const asked = { transfer: true, 'transfer.epsilon': 8 };
    expect(() => transferEpsilonOf({ ...asked, norm: 'Linf' }, 0.3, MNIST)).toThrow(
      /^--transfer\.epsilon 8: .* did you mean 8\/255\?$/,
    );
    expect(() => transferEpsilonOf({ ...asked, 'transfer.epsilon': 29, norm: 'L2' }, 2, MNIST)).toThrow(
      /^--transfer\.epsilon 29: no two images of 28x28x1/,
    );
  });
});

describe('--transfer', () => {
  let work: Workplace;
  const before = process.cwd();
  beforeAll(async () => {
    work = await makeWorkplace();
    process.chdir(work.folder);
    await saveNetwork('other.safetensors', { training: 'other', seed: 1 });
  });
  afterAll(async () => {
    process.chdir(before);
    await work.remove();
  });

  const both = ['--weights', `${join('checkpoints', 'mnist', `${ARCH}-standard.safetensors`)},other.safetensors`];
  async function run(...words: string[]) {
    const heard = listen();
    return { code: await main(['experiment', ...words, ...SMALL, '--attack', 'fgsm'], heard.terminal), ...heard };
  }

  it('writes the matrix into run.json and the report, says where, and stands in the config', async () => {
    const { code, err } = await run(...both, '--transfer', '--out', 'matrix', '--quiet');
    const report = join('matrix', 'report.html');
    expect(err).toEqual([`wrote ${report}`, `how images carry over between networks: ${report}#transfer`]);
    expect(code).toBe(0);
    const { transfer, config } = parseRun(JSON.parse(readFileSync(join('matrix', 'run.json'), 'utf8')), 'matrix');
    expect(config).toMatchObject({ transfer: true, 'transfer.epsilon': 0.3 });
    expect(transfer?.every(({ attack, epsilon }) => attack === 'fgsm' && epsilon === 0.3)).toBe(true);
    // Untrained networks may know no image in common, but each knows its own.
    expect(transfer?.length).toBeGreaterThan(0);
    expect(readFileSync(report, 'utf8')).toContain('<section id="transfer"');
  });

  it('is given again by the config that run.json states', async () => {
    const first = parseRun(JSON.parse(readFileSync(join('matrix', 'run.json'), 'utf8')), 'matrix');
    const heard = listen();
    await writeFile('again.json', JSON.stringify(first.config));
    expect(await main(['experiment', '--config', 'again.json', '--out', 'again', '--json'], heard.terminal)).toBe(0);
    expect(parseRun(JSON.parse(heard.out.join('')), 'stdout').transfer).toEqual(first.transfer);
  });

  it('with one network is refused before anything is written', async () => {
    const { code, err } = await run(...NETWORK, '--transfer', '--out', 'alone');
    expect([code, err]).toEqual([2, [expect.stringContaining('a transfer needs two networks')]]);
  });
});

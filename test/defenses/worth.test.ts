import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { parseRun } from '../../src/core/run.ts';
import { inWorkplace, listen } from '../cli/workplace.ts';

describe('a defense of a trained network', () => {
  inWorkplace();

  it('is worth no more to an adversary who knows it than to one who does not', async () => {
    const network = ['--arch', 'vgg16', '--training', 'standard', '--defense', 'jpeg,median,bit-depth'];
    const attack = ['--attack', 'pgd', '--pgd.steps', '10', '--epsilon', '0.08', '--images', '30', '--sanity', '0'];
    expect(await main(['experiment', ...network, ...attack, '--out', 'worth', '--quiet'], listen().terminal)).toBe(0);
    const { defended = [] } = parseRun(JSON.parse(readFileSync(join('worth', 'run.json'), 'utf8')), 'worth');
    expect(defended.map(({ defense }) => defense)).toEqual(['jpeg', 'median', 'bit-depth']);
    for (const { defense, adaptiveCorrect, naiveCorrect, cleanCorrect } of defended) {
      expect([defense, adaptiveCorrect <= naiveCorrect, naiveCorrect < cleanCorrect]).toEqual([defense, true, true]);
    }
    // Of one of them a good part of what it seems to be worth goes.
    expect(defended.some(({ adaptiveCorrect, naiveCorrect }) => adaptiveCorrect < naiveCorrect - 2)).toBe(true);
  });
});

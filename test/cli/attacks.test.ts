import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseAttacks, knownAttacks, sourcesOf } from '../../src/cli/experiment/attacks.ts';
import { flagsOfModules } from '../../src/cli/module-flags.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { loadAttacks } from '../../src/discover/modules.ts';

const known = await loadAttacks();
const names = (words: readonly string[], given = {}) =>
  chooseAttacks(known, words, 'Linf', given).map(({ attack }) => attack.name);

describe('the choice of attacks', () => {
  it('always measures the noise baseline, last unless named', () => {
    expect(names(['pgd', 'fgsm'])).toEqual(['pgd', 'fgsm', 'noise']);
    expect(names(['noise', 'fgsm'])).toEqual(['noise', 'fgsm']);
  });

  it('makes each attack once', () => {
    const able = [...known.values()].filter(({ norms }) => norms.includes('Linf'));
    expect(names(['fgsm', 'fgsm', 'all'])).toHaveLength(able.length);
  });

  it('takes under `all` those that can measure the norm', () => {
    const able = [...known.values()].filter(({ norms }) => norms.includes('L1')).map(({ name }) => name);
    expect(chooseAttacks(known, ['all'], 'L1', {}).map(({ attack }) => attack.name)).toEqual(able);
  });

  it('lays given parameters over the defaults', () => {
    const [pgd] = chooseAttacks(known, ['pgd'], 'Linf', { 'pgd.steps': 3 });
    expect(pgd?.params).toEqual({ steps: 3, step: null, random: true, share: 0.01 });
  });

  it('refuses a name that nobody has, proposing the nearest', () => {
    expect(() => names(['fsgm'])).toThrow(/unknown attack "fsgm"\. Did you mean "fgsm"\?/);
  });

  it('refuses an attack that does not know the norm', () => {
    expect(() => chooseAttacks(known, ['bim'], 'L1', {})).toThrow('bim does not attack in L1: it knows Linf, L2');
  });

  it('refuses a parameter of an attack that is not made: it would change nothing', () => {
    expect(() => names(['fgsm'], { 'pgd.steps': 3 })).toThrow(/--pgd\.steps is given, but pgd takes no part/);
  });

  it('knows the files of the user by their bytes, wherever they lie', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gibbon-sources-'));
    const file = join(folder, 'mine.ts');
    const hashOf = async (text: string) => {
      await writeFile(file, text);
      return sourcesOf(['fgsm', file]);
    };
    try {
      const [one, other] = [await hashOf('const share = 1;'), await hashOf('const share = 2;')];
      expect([...one.keys()]).toEqual(['mine']);
      expect(one.get('mine')?.source).toMatch(/^[0-9a-f]{64}$/);
      expect(other.get('mine')?.source).not.toBe(one.get('mine')?.source);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('takes a file once, by whatever path it is named', async () => {
    const file = join('examples', 'momentum.ts');
    const words = [file, `./${file}`, join(PACKAGE_ROOT, file)];
    const together = await knownAttacks(words);
    expect(chooseAttacks(together, words, 'Linf', {}).map(({ attack }) => attack.name)).toEqual(['momentum', 'noise']);
  });

  it('has a flag for every parameter of every attack', () => {
    const count = [...known.values()].reduce((sum, { params }) => sum + Object.keys(params).length, 0);
    expect(Object.keys(flagsOfModules(known.values()))).toHaveLength(count);
    expect(flagsOfModules(known.values())['pgd.steps']?.default).toBe(40);
  });
});

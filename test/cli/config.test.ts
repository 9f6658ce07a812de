import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inherited, readConfig, together } from '../../src/cli/config.ts';
import { bundledConfigs, findConfig } from '../../src/cli/find-config.ts';
import { main } from '../../src/cli/main.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { listen } from './workplace.ts';

const before = process.cwd();
let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'gibbon-config-')));
});
beforeEach(async () => {
  await rm(folder, { recursive: true });
  await mkdir(join(folder, 'below'), { recursive: true });
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

const put = (file: string, content: object): Promise<void> => writeFile(file, JSON.stringify(content));
const refusal = async (file: string): Promise<string> => {
  const error: unknown = await readConfig(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ kind: 'usage' });
  return (error as Error).message;
};

describe('a config file', () => {
  it('is an object with flags for keys, and may say where an editor finds them', async () => {
    await put('mine.json', { $schema: 'x', attack: ['fgsm'], 'pgd.steps': 7 });
    expect(await readConfig('mine.json')).toEqual([
      { given: { attack: ['fgsm'], 'pgd.steps': 7 }, source: 'mine.json' },
    ]);
  });

  it('is not needed', async () => {
    expect(await readConfig(undefined)).toEqual([]);
  });

  it('is refused by name when it is absent, no JSON, no object, a folder, or names another', async () => {
    expect(await refusal('nowhere.json')).toBe(
      'cannot read --config nowhere.json: no such file, nor one that comes with the program: ' +
        bundledConfigs().join(', '),
    );
    expect(await refusal('pandas')).toMatch(/Did you mean panda\?$/);
    await writeFile('a.json', '{');
    expect(await refusal('a.json')).toMatch(/^--config a\.json is not JSON/);
    await put('a.json', [1]);
    expect(await refusal('a.json')).toMatch(/^--config a\.json holds no JSON object/);
    await put('a.json', { config: 'b.json' });
    expect(await refusal('a.json')).toMatch(/to build on one, write "extends"$/);
    expect(await refusal('below')).toMatch(/is a folder/);
  });
});

describe('a config file that extends another', () => {
  it('says more than that, and wins over it; files lie where their names point to from the one that extends them', async () => {
    await put('far.json', { images: 10, attack: 'fgsm', norm: 'l2' });
    await put(join('below', 'near.json'), { extends: '../far.json', images: 20, seed: 1 });
    await put('mine.json', { extends: './below/near', seed: 2 });
    const configs = await readConfig('mine.json');
    expect(together(configs)).toEqual({ images: 20, attack: 'fgsm', norm: 'l2', seed: 2 });
    expect(configs.map(({ source }) => source)).toEqual(['far.json', join('below', 'near.json'), 'mine.json']);
  });

  it('does not hand on the parameters of attacks that it replaces', () => {
    const base = { attack: ['fgsm', 'pgd'], 'pgd.steps': 20, 'pgd-training.steps': 5, images: 9 };
    expect(inherited([base, { attack: ['fgsm'] }])).toEqual({
      ...{ attack: ['fgsm'], 'pgd-training.steps': 5, images: 9 },
    });
    for (const attack of [['pgd'], ['all']]) expect(inherited([base, { attack }])).toEqual({ ...base, attack });
    expect(inherited([base, { attack: ['fgsm'], 'pgd.steps': 3 }])).toMatchObject({ 'pgd.steps': 3 });
    expect(inherited([base, { images: 3 }, { attack: ['bim'] }])).not.toHaveProperty(['pgd.steps']);
  });

  it('has its flags under those of the command line', async () => {
    await put('base.json', { attack: ['pgd'], images: 3, 'pgd.steps': 2, seed: 5, epsilon: [0.1] });
    await put('mine.json', { extends: 'base.json', images: 4, seed: 6 });
    const { terminal, out } = listen();
    const code = await main(['--config', 'mine.json', '--seed', '7', '--dry-run', '--json'], terminal);
    expect(code).toBe(0);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ images: 4, epsilons: [0.1] });
    const heard = listen();
    await put('base.json', { 'pgd.steps': 'many', attack: 'pgd' });
    expect(await main(['--config', 'mine.json'], heard.terminal)).toBe(2);
    expect(heard.err).toEqual(['gibbon: "pgd.steps" in base.json is "many"; it must be a whole number, at least 1']);
  });

  it('may extend what comes with the program', async () => {
    await put('mine.json', { extends: 'six-architectures', images: 100 });
    expect(together(await readConfig('mine.json'))).toMatchObject({ images: 100, 'pgd.steps': 40 });
  });

  it('is refused when the other is missing, or no name', async () => {
    await put('mine.json', { extends: 'gone.json' });
    expect(await refusal('mine.json')).toMatch(/^cannot read gone\.json \(extended by mine\.json\): no such file/);
    await put('mine.json', { extends: 3 });
    expect(await refusal('mine.json')).toBe('"extends" in mine.json needs one value: a JSON file');
  });

  it('is refused when it extends itself, by whatever way', async () => {
    await put('one.json', { extends: 'one.json' });
    expect(await refusal('one.json')).toBe('a config file extends itself: one.json extends one.json');
    await put('one.json', { extends: 'below/two.json' });
    await put(join('below', 'two.json'), { extends: '../one.json' });
    expect(await refusal('./one.json')).toBe(
      `a config file extends itself: ./one.json extends ${join('below', 'two.json')} extends one.json`,
    );
  });
});

describe('a config file that comes with the program', () => {
  const panda = join(PACKAGE_ROOT, 'experiments', 'panda.json');

  it.each(['panda', 'panda.json', 'experiments/panda.json', './experiments/panda'])('is found as %s', (word) => {
    expect(findConfig(word, '.', word)).toBe(panda);
  });

  it('gives way to one of the same name in the working folder', async () => {
    await put('panda.json', {});
    expect(findConfig('panda', '.', 'panda')).toBe('panda.json');
    expect(findConfig('experiments/panda', '.', 'panda')).toBe(panda);
  });

  it('is nothing that lies elsewhere', () => {
    for (const word of ['../package.json', 'experiments/../package', 'below/panda']) {
      expect(() => findConfig(word, '.', word), word).toThrow('no such file');
    }
  });
});

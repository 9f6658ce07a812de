import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/cli/config.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function written(text: string): Promise<string> {
  const file = join(folder, 'config.json');
  await writeFile(file, text);
  return file;
}

describe('a config file', () => {
  it('is an object with flags for keys', async () => {
    const file = await written('{ "attack": ["fgsm"], "pgd.steps": 7 }');
    expect(await readConfig(file)).toEqual({ given: { attack: ['fgsm'], 'pgd.steps': 7 }, source: file });
  });

  it('is not needed', async () => {
    expect(await readConfig(undefined)).toBeUndefined();
  });

  it('is refused by name when it is absent, no JSON, no object, or names another', async () => {
    await expect(readConfig('nowhere.json')).rejects.toThrow(
      'cannot read --config nowhere.json: no such file or directory',
    );
    await expect(readConfig(await written('{'))).rejects.toThrow(/config\.json is not JSON/);
    await expect(readConfig(await written('[1]'))).rejects.toThrow(/holds no JSON object/);
    await expect(readConfig(await written('{"config":"b.json"}'))).rejects.toThrow(/one is enough/);
  });
});

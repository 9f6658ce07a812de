import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { loadAttacks, loadDefenses } from '../../src/discover/modules.ts';

const KINDS = [
  ['attacks', await loadAttacks()],
  ['defenses', await loadDefenses()],
] as const;

describe.each(KINDS)('%s', (folder, modules) => {
  it('are the files of their folder, each named after its file', () => {
    const files = readdirSync(join(PACKAGE_ROOT, folder)).filter((file) => file.endsWith('.ts'));
    expect([...modules.keys()].map((name) => `${name}.ts`).sort()).toEqual(files.sort());
    for (const [name, module] of modules) expect(module.name).toBe(name);
  });

  it.each([...modules.values()])('$name has a title, a paper, and defaults that its own rules accept', (module) => {
    expect(module.title).not.toBe('');
    expect(new URL(module.paper).protocol).toBe('https:');
    for (const [key, param] of Object.entries(module.params)) {
      expect(param.parse(param.default), `${module.name}.${key}`).toEqual(param.default);
      expect(param.label, `${module.name}.${key}`).not.toBe('');
    }
  });
});

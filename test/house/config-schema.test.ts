import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { readConfig } from '../../src/cli/config.ts';
import { configSchema } from '../../src/cli/config-schema.ts';
import { bundledConfigs } from '../../src/cli/find-config.ts';
import { type Flags, parseGiven } from '../../src/cli/flags.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { suggestionsFor } from '../../src/cli/suggestions.ts';
import { holds, type Schema } from './json-schema.ts';

const path = (...parts: string[]): string => join(PACKAGE_ROOT, 'experiments', ...parts);

/** The flags that a config file of the command may give, and the schema of such files. */
async function madeFor(name: string): Promise<{ flags: Flags; schema: Schema }> {
  const command = await COMMANDS.find((entry) => entry.name === name)?.load();
  if (command === undefined) throw new Error(`no command ${name}`);
  const moduleFlags = (await command.moduleFlags?.({})) ?? {};
  return {
    flags: { ...command.flags, ...moduleFlags },
    schema: { ...configSchema(name, command, moduleFlags, await suggestionsFor(name)) },
  };
}

const configurable = ['experiment', 'train', 'certify'];

describe.each(configurable)('the schema of config files of %s', (name) => {
  it('is what the flags declare (UPDATE_README=1 writes it anew)', async () => {
    const { schema } = await madeFor(name);
    const made = `${JSON.stringify(schema, null, 2)}\n`;
    if (process.env.UPDATE_README === '1') writeFileSync(path('schemas', `${name}.json`), made);
    else expect(readFileSync(path('schemas', `${name}.json`), 'utf8')).toBe(made);
  });

  it('takes what the flags take, and refuses what they refuse', async () => {
    const { flags, schema } = await madeFor(name);
    const values = [
      ...[
        true,
        false,
        0,
        1,
        -1,
        0.5,
        3,
        1e9,
        null,
        '',
        'x',
        'auto',
        '1/2',
        '0.25',
        'fgsm',
        'linf',
        'Linf',
        'L2',
        'none',
      ],
      ...[[], [1], [0.5, '1/2'], ['x'], ['vgg16', 'all'], [true], {}],
    ];
    const disagreements = Object.entries(flags).flatMap(([key, flag]) => {
      if (key === 'config') return [];
      return values
        .filter((value) => holds(schema, { [key]: value }) !== (flag.parse(value) !== undefined))
        .map((value) => `${key}: ${JSON.stringify(value)}`);
    });
    // What stands in a string is checked when the file is read: the size of a number, an accuracy that is required.
    expect(disagreements.filter((line) => !/"1\/2"|"0\.25"|""|^fail-under: /.test(line))).toEqual([]);
  });

  it('refuses keys that are no flags, but parameters of attacks that it does not know', async () => {
    const { schema } = await madeFor(name);
    expect(holds(schema, { imagess: 3 })).toBe(false);
    expect(holds(schema, { 'mine.steps': 3, extends: 'x.json', $schema: 'y' })).toBe(true);
    expect(holds(schema, { config: 'x.json' })).toBe(false);
    if (name === 'experiment') {
      expect(holds(schema, { 'pgd.stps': 3 })).toBe(false);
      expect(holds(schema, { 'pgd.steps': 0 })).toBe(false);
    }
  });
});

it('every command that reads config files has a schema', async () => {
  const commands = await Promise.all(COMMANDS.map(async ({ name, load }) => ({ name, flags: (await load()).flags })));
  expect(commands.filter(({ flags }) => 'config' in flags).map(({ name }) => name)).toEqual(configurable);
  expect(readdirSync(path('schemas')).sort()).toEqual(configurable.map((name) => `${name}.json`).sort());
});

it.each(bundledConfigs())('experiments/%s.json says which schema it keeps to, and does', async (name) => {
  const content: { $schema?: string } = JSON.parse(readFileSync(path(`${name}.json`), 'utf8'));
  const { flags, schema } = await madeFor(basename(content.$schema ?? '', '.json'));
  expect(content.$schema).toMatch(/^\.\/schemas\/\w+\.json$/);
  expect(holds(schema, content)).toBe(true);
  for (const { given, source } of await readConfig(path(`${name}.json`))) {
    expect(() => parseGiven(flags, given, source)).not.toThrow();
  }
});

import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KERNELS } from '../../../src/compile/kernels/table.ts';

const here = new URL('.', import.meta.url);
const source = new URL('../../../src/compile/kernels/', here);

/** The files that hold a table of kernels, with their tables. */
const tables = await Promise.all(
  readdirSync(source).map(async (file) => {
    const exported: Record<string, unknown> = await import(new URL(file, source).href);
    const name = file.replace(/\.ts$/, '');
    return { name, table: exported[name.toUpperCase()] as object | undefined };
  }),
).then((all) => all.filter(({ table }) => table !== undefined));

describe('the table of kernels', () => {
  it('is made of the tables of its files, which have no kernel in common', () => {
    const all = tables.flatMap(({ table }) => Object.keys(table as object));
    expect(all.sort()).toEqual(Object.keys(KERNELS).sort());
  });

  it.each(tables)('has a test that compiles all of $name', ({ name }) => {
    expect(existsSync(new URL(`${name}.test.ts`, here)), `test/compile/kernels/${name}.test.ts`).toBe(true);
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { RUN_SCHEMA, type Run, runSchema } from '../../src/core/run.ts';
import { certifiedRun } from '../report/sample-certificates.ts';
import { sampleRun } from '../report/sample-run.ts';
import { holds, type Schema } from './json-schema.ts';

const FILE = join(PACKAGE_ROOT, 'docs', 'run.schema.json');

/** As programs in other languages read it: what may stand in the file, and more in later versions. */
const made = (): Schema => {
  const { $schema, ...fields } = z.toJSONSchema(runSchema, { io: 'input' });
  return {
    $schema,
    title: RUN_SCHEMA,
    description:
      'run.json, the result of an experiment or a certification. src/core/run.ts says what each field means; ' +
      'beyond this schema, a run has cells, or certificates, and a radius fits its norm.',
    ...fields,
  };
};

it('docs/run.schema.json is what the program reads (UPDATE_README=1 writes it anew)', () => {
  const text = `${JSON.stringify(made(), null, 2)}\n`;
  if (process.env.UPDATE_README === '1') writeFileSync(FILE, text);
  else expect(readFileSync(FILE, 'utf8')).toBe(text);
});

it('docs/run.schema.json takes runs, and refuses what is none', async () => {
  const schema: Schema = JSON.parse(readFileSync(FILE, 'utf8'));
  const run = await sampleRun({ transfer: true, distances: true, histories: true, checks: true, galleryRows: 1 });
  const runs: readonly Run[] = [run, await certifiedRun(['vgg16'], [0.25])];
  for (const one of runs) expect(holds(schema, JSON.parse(JSON.stringify(one)))).toBe(true);
  const [cell] = run.cells;
  const { seed: _, ...seedless } = run.provenance;
  for (const wrong of [
    { schema: 'gibbon.run/0' },
    { cells: [{ ...cell, robustAccuracy: 2 }] },
    { cells: [{ ...cell, goal: { kind: 'targeted' } }] },
    { cells: [{ ...cell, wilson95: [0] }] },
    { provenance: seedless },
    { gallery: [{ ...run.gallery[0], cleanPng: '?' }] },
  ]) {
    expect(holds(schema, { ...JSON.parse(JSON.stringify(run)), ...wrong }), JSON.stringify(wrong)).toBe(false);
  }
});

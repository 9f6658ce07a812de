import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { openIdx } from '../../src/data/idx.ts';

const folder = mkdtempSync(join(tmpdir(), 'gibbon-idx-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('an idx file that cannot be read any more is an error in one line that names it', async () => {
  const path = join(folder, 'labels');
  writeFileSync(path, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3));
  const file = await openIdx(path, 1);
  const out = new Uint8Array(1);
  file.read(1, out, 0);
  expect(out[0]).toBe(3);
  await file.close();
  const reading = () => file.read(0, out, 0);
  expect(reading).toThrow(/^cannot read \S+labels: /);
  expect(reading).toThrow(UserError);
});

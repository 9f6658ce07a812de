/** Reading bytes as if they were a file, and what a refusal must be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { inMemory } from '../../src/weights/byte-source.ts';
import { readWeightsFrom } from '../../src/weights/read-weights.ts';

export const path = 'folder/file.pth';

export const ORACLES = join(import.meta.dirname, '..', 'oracles', 'weights');
export const oracle = (file: string): Buffer => readFileSync(join(ORACLES, file));

export const read = (bytes: Uint8Array) => readWeightsFrom(inMemory(path, new Uint8Array(bytes)));

/** In under a second of computing, by one line that names the file. */
export async function expectRefusal(bytes: Uint8Array, message: RegExp): Promise<void> {
  const started = process.cpuUsage();
  const error = await read(bytes).catch((thrown: unknown) => thrown);
  const { user, system } = process.cpuUsage(started);
  expect((user + system) / 1e6).toBeLessThan(1);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toMatch(message);
  expect((error as UserError).message).toContain(path);
  expect((error as UserError).message).not.toContain('\n');
}

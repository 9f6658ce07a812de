import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { journaled, type Workshop } from '../../src/cli/journaled.ts';
import { fileError } from '../../src/core/files.ts';
import type { JournalRecord } from '../../src/evaluate/journal/record.ts';
import { inWorkplace, listen } from './workplace.ts';

inWorkplace();

const FULL = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
const FINISHED: JournalRecord = { kind: 'transfer', contender: 'vgg11/standard', attack: 'pgd', seconds: 0, rows: [] };

const attempt = (folder: string, work: (shop: Workshop) => Promise<void>) =>
  journaled(
    { folder, claim: 'named', resume: false, command: 'gibbon', terminal: listen().terminal, parts: async () => ({}) },
    async (shop) => {
      await work(shop);
      throw fileError('write', 'some.png', FULL);
    },
  );

it('says how to go on with work that the disk refused, once something of it was finished', async () => {
  await expect(attempt('begun', ({ journal }) => journal.append(FINISHED))).rejects.toThrow(
    /^cannot write some\.png: no space left on device\. begun keeps what was finished: .* repeat the command with --out begun --resume$/,
  );
  expect(existsSync('begun/journal.ndjson')).toBe(true);
});

it('leaves nothing of work that the disk refused before that', async () => {
  await expect(attempt('barely', async () => undefined)).rejects.toThrow(
    /^cannot write some\.png: no space left on device$/,
  );
  expect(existsSync('barely')).toBe(false);
});

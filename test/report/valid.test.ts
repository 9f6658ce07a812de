import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { HtmlValidate } from 'html-validate';
import { describe, expect, test } from 'vitest';
import { renderReport } from '../../src/report/page.ts';
import { writeIndex } from '../../src/report/write.ts';
import { arbitraryRun } from './arbitrary-run.ts';
import { certifiedRun } from './sample-certificates.ts';
import { defendedRun } from './sample-defenses.ts';
import { SIX_NETWORKS, sampleRun } from './sample-run.ts';

/** What is wrong with a page, as `rule: message, at selector`: with the standard, or with good manners as well. */
async function complaints(page: string, rules: 'standard' | 'recommended' = 'recommended'): Promise<readonly string[]> {
  const { results } = await new HtmlValidate({ extends: [`html-validate:${rules}`] }).validateString(page);
  return results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, selector }) => `${ruleId}: ${message}, at ${selector}`),
  );
}

const everything = {
  ...{ galleryRows: 1, checks: true, transfer: true, distances: true, histories: true, course: true },
} as const;

describe('the report is valid HTML', () => {
  test('with everything that a run of six networks can have', async () => {
    const page = await renderReport(await sampleRun({ architectures: SIX_NETWORKS, ...everything }));
    expect(await complaints(page)).toEqual([]);
  });

  test('of certificates alone', async () => {
    expect(await complaints(await renderReport(await certifiedRun(['vgg16'], [0.25, 0.5])))).toEqual([]);
  });

  test('of networks behind defenses', async () => {
    expect(await complaints(await renderReport(await defendedRun(['jpeg', 'random-resize-pad'])))).toEqual([]);
  });

  test('whatever the names in it', async () => {
    for (const run of fc.sample(arbitraryRun(), { numRuns: 4, seed: 7 })) {
      expect(await complaints(await renderReport(run), 'standard')).toEqual([]);
    }
  });

  test('and so is the list of runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gibbon-valid-test-'));
    try {
      expect(await complaints(await readFile(await writeIndex(folder), 'utf8'))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('which is more than can be said of a broken one', async () => {
    const page = await renderReport(await sampleRun({ galleryRows: 1 }));
    expect(await complaints(page.replace('<caption', '<captain'))).not.toEqual([]);
  });
});

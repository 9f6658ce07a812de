import { basename, dirname, join, resolve } from 'node:path';
import { usageError } from '../../core/errors.ts';
import { parseRun, type Run } from '../../core/run.ts';
import { toTable } from '../../report/table.ts';
import { writeIndex, writeReport } from '../../report/write.ts';
import { defineCommand, EXIT } from '../command.ts';
import { readJsonFile } from '../json-file.ts';
import { REPORTS } from '../out-folder.ts';
import { shortPath } from '../paths.ts';

export const RUN_FILE = 'run.json';

export const report = defineCommand({
  name: 'report',
  summary: 'rebuild report.html and table.csv from run.json',
  words: 'DIR...',
  flags: {},
  run: async ({ words, terminal }) => {
    if (words.length === 0) throw usageError(`name the folders to rebuild: gibbon report ${join(REPORTS, 'RUN')}`);
    // All are read before any is written: a bad one stops everything.
    const runs = await Promise.all(words.map(async (folder) => ({ folder, run: await readRun(folder) })));
    for (const { folder, run } of runs) {
      await writeReport(folder, run);
      terminal.print(toTable(run, { colour: terminal.colour, width: terminal.width }));
      terminal.note(`wrote ${shortPath(join(resolve(folder), 'report.html'))}`);
    }
    for (const reports of new Set(words.map(reportsFolderOf))) if (reports !== undefined) await writeIndex(reports);
    return EXIT.ok;
  },
});

/** The `reports` folder that a run's folder lies in, if it lies in one. */
export function reportsFolderOf(folder: string): string | undefined {
  const parent = dirname(resolve(folder));
  return basename(parent) === REPORTS ? parent : undefined;
}

async function readRun(folder: string): Promise<Run> {
  const file = join(folder, RUN_FILE);
  return parseRun(await readJsonFile(file), file);
}

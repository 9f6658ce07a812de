import { basename, dirname, join } from 'node:path';
import { usageError } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { readRun } from '../../report/read.ts';
import { defineCommand, EXIT } from '../command.ts';
import { REPORTS } from '../out-folder.ts';
import { publishViews, RUN_FILE, tableOf } from '../publish.ts';

export const report = defineCommand({
  words: 'DIR...',
  flags: {},
  run: async ({ words, terminal }) => {
    if (words.length === 0) throw usageError(`name the folders to rebuild: gibbon report ${join(REPORTS, 'RUN')}`);
    // All are read before any is written: a bad one stops everything.
    const runs = await Promise.all(
      words.map(async (word) => {
        // Who names the file means its folder.
        const folder = basename(word) === RUN_FILE ? dirname(word) : word;
        return { folder, run: await readRun(folder) };
      }),
    );
    for (const { folder, run } of runs) {
      const path = await publishViews(folder, run);
      terminal.print(tableOf(run, terminal));
      terminal.note(`wrote ${shortPath(path)}`);
    }
    return EXIT.ok;
  },
});

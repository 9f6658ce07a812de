import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { usageError } from '../../core/errors.ts';
import { shortPath } from '../../core/files.ts';
import { p } from '../../core/params.ts';
import { joinRuns } from '../../report/join/join.ts';
import type { Source } from '../../report/join/source.ts';
import { readRun } from '../../report/read.ts';
import { defineCommand, EXIT } from '../command.ts';
import { optional, word } from '../flags.ts';
import { openFile } from '../open.ts';
import { checkOut, makeOut, REPORTS, runId } from '../out-folder.ts';
import { publishViews, RUN_FILE, tableOf } from '../publish.ts';
import { showRun } from '../show-run.ts';

export const report = defineCommand({
  words: 'DIR...',
  flags: {
    out: optional(
      word('', 'join the runs into one, written to this folder; they stay as they are', 'a folder'),
      'rebuild each',
    ),
    json: p.boolean(false, 'print the run as JSON instead of the table'),
    open: p.boolean(false, 'open the report in the browser'),
  },
  run: async ({ values, words, terminal, commandLine, commandLineWith }) => {
    const { out, json, open } = values;
    if (words.length === 0) throw usageError(`name the folders to rebuild: gibbon report ${join(REPORTS, 'RUN')}`);
    if (out !== null && words.length === 1)
      throw usageError(`--out ${out} joins several runs, and ${words[0]} is one; name more, or leave --out out`);
    if (out === null && json && words.length > 1)
      throw usageError('--json prints one run: name one folder, or join them with --out FOLDER');
    if (out !== null) await requireFree(out, words);
    // All are read before any is written: a bad one stops everything.
    const sources = await Promise.all(words.map(read));
    const show = (path: string): void => {
      if (open) openFile(path, () => terminal.note(`no browser to open it in; open ${path} yourself`));
    };
    if (out !== null) {
      const run = joinRuns(sources, { id: runId(out), command: commandLine });
      await makeOut(out, 'named');
      show(await showRun(run, out, json, terminal));
      return EXIT.ok;
    }
    for (const { folder, run } of sources) {
      const path = await publishViews(folder, run);
      terminal.print(json ? JSON.stringify(run, null, 2) : tableOf(run, terminal));
      terminal.note(`wrote ${shortPath(path)}`);
      show(path);
    }
    if (sources.length > 1) terminal.note(`as one comparison: ${commandLineWith('--out', 'FOLDER')}`);
    return EXIT.ok;
  },
});

/**
 * @throws UserError (usage) if the folder is one of those to be joined, or holds anything but a joined run, which can be made
 *   again at any time
 */
async function requireFree(out: string, words: readonly string[]): Promise<void> {
  if (words.some((word) => resolve(folderOf(word)) === resolve(out)))
    throw usageError(`--out ${out} is one of the runs to be joined, which stay as they are; name another folder`);
  const isJoined = await readRun(out).then(
    ({ sources }) => sources !== undefined,
    () => false,
  );
  if (!isJoined) await checkOut(out, 'named');
}

/** Who names the file means its folder. */
const folderOf = (word: string): string => (basename(word) === RUN_FILE ? dirname(word) : word);

async function read(word: string): Promise<Source & { readonly folder: string }> {
  const folder = folderOf(word);
  const path = join(folder, RUN_FILE);
  const run = await readRun(folder);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { folder, path, run, sha256 };
}

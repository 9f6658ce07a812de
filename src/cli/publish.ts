/** Writes a finished run: run.json, its views beside it, and the list of all runs. */
import { basename, dirname, join, resolve } from 'node:path';
import { writeAtomically } from '../core/files.ts';
import type { Run } from '../core/run.ts';
import { toTable } from '../report/table.ts';
import { writeIndex, writeReport } from '../report/write.ts';
import { REPORTS } from './out-folder.ts';
import type { Terminal } from './terminal.ts';

export const RUN_FILE = 'run.json';

/**
 * Writes run.json, then what is seen of it.
 *
 * @returns the report's path
 * @throws UserError naming the file that cannot be written
 */
export async function publish(folder: string, run: Run): Promise<string> {
  const text = `${JSON.stringify(run, null, 2)}\n`;
  await writeAtomically(join(folder, RUN_FILE), (file) => file.writeFile(text));
  return publishViews(folder, run);
}

/** The report and the table of a run whose run.json is there; the index too, where the folder lies under `reports`. */
export async function publishViews(folder: string, run: Run): Promise<string> {
  const report = await writeReport(folder, run);
  const parent = dirname(resolve(folder));
  if (basename(parent) === REPORTS) await writeIndex(parent);
  return report;
}

/** The headline table as the terminal can show it. */
export const tableOf = (run: Run, { colour, width }: Terminal): string => toTable(run, { colour, width });

/** Writes a finished run: run.json, its views beside it, and the list of all runs. */
import { basename, dirname, join, resolve } from 'node:path';
import { writeAtomically } from '../core/files.ts';
import type { Run } from '../core/run.ts';
import { writeIndex, writeReport } from '../report/write.ts';
import { REPORTS } from './out-folder.ts';

export const RUN_FILE = 'run.json';
export const REPORT_FILE = 'report.html';

/** @throws UserError naming the file that cannot be written */
export async function publish(folder: string, run: Run): Promise<void> {
  const text = `${JSON.stringify(run, null, 2)}\n`;
  await writeAtomically(join(folder, RUN_FILE), (file) => file.writeFile(text));
  await publishViews(folder, run);
}

/** The report and the table of a run whose run.json is there; the index too, where the folder lies under `reports`. */
export async function publishViews(folder: string, run: Run): Promise<void> {
  await writeReport(folder, run);
  const parent = dirname(resolve(folder));
  if (basename(parent) === REPORTS) await writeIndex(parent);
}

import { join } from 'node:path';
import { writeAtomically } from '../core/files.ts';
import type { Run } from '../core/run.ts';
import { csvFiles } from './csv.ts';
import { renderIndex } from './index-page.ts';
import { renderReport } from './page.ts';

/**
 * Writes `report.html` and its tables as CSV beside the run's `run.json`.
 *
 * @returns the report's path
 * @throws UserError if the folder cannot be written
 */
export async function writeReport(folder: string, run: Run): Promise<string> {
  const path = join(folder, 'report.html');
  const page = await renderReport(run);
  for (const [name, table] of Object.entries(csvFiles(run))) await writeWhole(join(folder, name), table);
  await writeWhole(path, page);
  return path;
}

/**
 * Writes `index.html`, the list of the runs in the folder, newest first.
 *
 * @returns its path
 * @throws UserError if the folder cannot be read or written
 */
export async function writeIndex(reportsFolder: string): Promise<string> {
  const path = join(reportsFolder, 'index.html');
  await writeWhole(path, await renderIndex(reportsFolder));
  return path;
}

const writeWhole = (path: string, text: string): Promise<void> => writeAtomically(path, (file) => file.writeFile(text));

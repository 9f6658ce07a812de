/** What a command that measures does with its run: files for people, and a word about where they are. */
import { shortPath } from '../core/files.ts';
import type { Run } from '../core/run.ts';
import { leftOut } from './left-out.ts';
import type { Terminal } from './terminal.ts';

/**
 * Writes the views of a run into its folder, and prints its table, or as JSON the run itself.
 *
 * @returns the path of the report
 */
export async function showRun(run: Run, folder: string, json: boolean, terminal: Terminal): Promise<string> {
  // Loaded only now, for it takes a second, which a wrong flag should not have to wait for.
  const { publish, tableOf } = await import('./publish.ts');
  const report = await publish(folder, run);
  terminal.print(json ? JSON.stringify(run, null, 2) : tableOf(run, terminal));
  const { skipped = [] } = run.provenance.dataset;
  if (skipped.length > 0) terminal.note(leftOut(skipped, 'in run.json'));
  terminal.note(`wrote ${shortPath(report)}`);
  return report;
}

/** The words to add to a command line for an interrupted run to go on. */
export const wordsToGoOn = (
  { out, resume }: { readonly out: string | null; readonly resume: boolean },
  folder: string,
): readonly string[] => [...(out === null ? ['--out', folder] : []), ...(resume ? [] : ['--resume'])];

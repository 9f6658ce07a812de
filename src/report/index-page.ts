import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import type { Run } from '../core/run.ts';
import { renderDocument } from './document.ts';
import { firstFinding } from './finding.ts';
import { counted, enumerate, instant, whole } from './format.ts';
import { type Html, html } from './html.ts';
import { architectureTitle, datasetTitle } from './names.ts';
import { readRun } from './read.ts';
import { renderSegments } from './sections/sentence.ts';

/** A folder with what it holds: a run, or the reason why it is none. */
type Found = { readonly folder: string } & (
  | { readonly run: Run; readonly page: 'report.html' | 'run.json' }
  | { readonly reason: string }
);

/**
 * The list of the runs below a folder, newest first. A folder that holds no readable run is named with the reason.
 *
 * @throws UserError if the folder itself cannot be read
 */
export async function renderIndex(reportsFolder: string): Promise<string> {
  const found = await Promise.all((await foldersIn(reportsFolder)).map((folder) => inspect(reportsFolder, folder)));
  const runs = found.filter((entry) => 'run' in entry).toSorted(newestFirst);
  const broken = found.filter((entry) => 'reason' in entry);
  const total = counted(runs.length, 'run');
  return renderDocument({
    title: 'Robustness reports – Gibbon',
    description: `${total}, newest first`,
    kind: 'robustness reports',
    main: html`<header class="finding"><h1>Robustness reports</h1><p class="also">${total}, newest first.</p></header>
${runs.length === 0 ? html`<p>No run yet.</p>` : html`<ol class="runs">${runs.map(entry)}</ol>`}
${broken.length > 0 && html`<section aria-labelledby="broken"><h2 id="broken">Not listed</h2><ul>${broken.map(({ folder, reason }) => html`<li><code>${folder}</code> ${reason}</li>`)}</ul></section>`}`,
  });
}

async function foldersIn(reportsFolder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(reportsFolder, { withFileTypes: true });
    const folders = entries.filter((found) => found.isDirectory() && !found.name.startsWith('.'));
    return folders.map((found) => found.name).sort();
  } catch (error) {
    throw fileError('read', reportsFolder, error);
  }
}

async function inspect(reportsFolder: string, folder: string): Promise<Found> {
  const path = join(reportsFolder, folder);
  try {
    const run = await readRun(path);
    const hasPage = await access(join(path, 'report.html')).then(
      () => true,
      () => false,
    );
    return { folder, run, page: hasPage ? 'report.html' : 'run.json' };
  } catch (error) {
    // The page may travel: no path of this machine in it.
    return { folder, reason: messageOf(error).replaceAll(join(path, '/'), '').replaceAll(path, folder) };
  }
}

interface Listed {
  readonly folder: string;
  readonly run: Run;
  readonly page: string;
}

const newestFirst = (a: Listed, b: Listed): number =>
  Date.parse(b.run.provenance.started) - Date.parse(a.run.provenance.started) || (a.folder < b.folder ? -1 : 1);

function entry({ folder, run, page }: Listed): Html {
  const { dataset, started } = run.provenance;
  const { cells, certificates = [] } = run;
  const measured = [...cells, ...certificates];
  const architectures = [...new Set(measured.map(({ arch }) => arch))].map((arch) => architectureTitle(run, arch));
  const attacks = [...new Set(cells.map((cell) => cell.attack))];
  const how = attacks.length === 0 ? 'certified by randomized smoothing' : `under ${enumerate(attacks)}`;
  const images = whole(Math.max(...measured.map((one) => one.images)));
  return html`<li><p class="when"><time datetime="${started}">${instant(started)}</time></p><p class="what"><a href="${encodeURIComponent(folder)}/${page}">${renderSegments(firstFinding(run))}</a></p><p class="how">${enumerate(architectures)} ${how} · ${images} ${datasetTitle(dataset.name)} ${dataset.split} images · seed ${run.provenance.seed} · <code>${folder}</code></p></li>`;
}

import type { Run } from '../core/run.ts';
import { csvFiles } from './csv.ts';
import { renderDocument } from './document.ts';
import { findingText } from './finding.ts';
import { enumerate } from './format.ts';
import { withinBudget } from './gallery-budget.ts';
import { type Html, html, jsonForScript } from './html.ts';
import { architectureTitle, datasetTitle } from './names.ts';
import { accuracy } from './sections/accuracy.ts';
import { architectures } from './sections/architectures.ts';
import { certified } from './sections/certified.ts';
import { checks } from './sections/checks.ts';
import { course } from './sections/course.ts';
import { defenses } from './sections/defenses.ts';
import { distances } from './sections/distances.ts';
import { flips } from './sections/flips.ts';
import { gallery } from './sections/gallery.ts';
import { renderHeader } from './sections/header.ts';
import { headline } from './sections/headline.ts';
import { joined } from './sections/joined.ts';
import { perturbations } from './sections/perturbations.ts';
import { provenance } from './sections/provenance.ts';
import { saved } from './sections/saved.ts';
import type { Section } from './sections/section.ts';
import { training } from './sections/training.ts';
import { transfer } from './sections/transfer.ts';

/** In the order of the page. */
const SECTIONS: readonly Section[] = [
  headline,
  accuracy,
  certified,
  defenses,
  gallery,
  transfer,
  course,
  perturbations,
  distances,
  flips,
  checks,
  architectures,
  training,
  saved,
  joined,
  provenance,
];

/** A page is at most about 5 MB; pictures may take this much of it. */
const PICTURE_BUDGET = 4_000_000;

/**
 * The report as one HTML document: no request, no external file, the same bytes for the same run.
 *
 * @param run - as `parseRun` returned it
 */
export async function renderReport(run: Run): Promise<string> {
  const shown = withinBudget(run, PICTURE_BUDGET);
  const sentence = findingText(shown);
  return renderDocument({
    title: titleOf(shown),
    description: sentence,
    kind: 'robustness report',
    main: html`${renderHeader(shown)}${SECTIONS.map((section) => renderSection(section, shown))}${omission(run, shown)}`,
    data: html`<script type="application/json" id="data-run">${jsonForScript(withoutPictures(shown))}</script>
<script type="application/json" id="data-csv">${jsonForScript(csvFiles(shown))}</script>`,
  });
}

/** `VGG-16 under fgsm and pgd, MNIST – Gibbon`: short enough for a tab. */
function titleOf(run: Run): string {
  const { cells, certificates = [], provenance } = run;
  const distinct = (names: readonly string[]): string => enumerate([...new Set(names)]);
  const titles = new Set([...cells, ...certificates].map(({ arch }) => architectureTitle(run, arch)));
  const networks = titles.size > 3 ? `${titles.size} networks` : enumerate([...titles]);
  if (cells.length === 0) return `${networks} certified, ${datasetTitle(provenance.dataset.name)} – Gibbon`;
  const attacks = distinct(cells.map((cell) => cell.attack));
  return `${networks} under ${attacks}, ${distinct(cells.map((cell) => datasetTitle(cell.dataset)))} – Gibbon`;
}

function renderSection({ id, title, render }: Section, run: Run): Html | undefined {
  const body = render(run);
  return (
    body &&
    html`<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${title}</h2>
${body}
</section>
`
  );
}

/** The gallery's pictures stand in the page already; the script puts them back into the data that it hands out. */
const withoutPictures = (run: Run): Run => ({
  ...run,
  gallery: run.gallery.map((item) => ({ ...item, cleanPng: '', adversarialPng: '', perturbationPng: '' })),
});

const omission = (run: Run, shown: Run): Html | undefined =>
  run.gallery.length === shown.gallery.length
    ? undefined
    : html`<p class="note">${run.gallery.length - shown.gallery.length} of ${run.gallery.length} gallery rows are left out of this page and of its data to keep it small; run.json holds them all.</p>`;

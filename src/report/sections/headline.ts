import type { Run } from '../../core/run.ts';
import { intervalBar } from '../charts/interval-bar.ts';
import { dash } from '../dash.ts';
import { className, compact, enumerate, interval, normSymbol, percent, points, radius, whole } from '../format.ts';
import { headlineEpsilon } from '../headline-epsilon.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, datasetTitle, formInWords, trainingTitle } from '../names.ts';
import { type Ranked, rankArchitectures } from '../ranking.ts';
import { type Measured, type Slice, sameRadius, slicesOf } from '../slice.ts';
import { isBelow, type Standing } from '../worst-case.ts';
import { defineSection } from './section.ts';

/** A row per architecture; a group of columns per way of training: clean, the worst of the attacks, each of them. */
export const headline = defineSection({
  id: 'headline',
  title: 'Clean against adversarial accuracy',
  render: (run) =>
    run.cells.length === 0 ? undefined : html`${slicesOf(run).map((slice, i) => headlineTable(run, slice, i))}`,
});

function headlineTable(run: Run, slice: Slice, index: number): Html {
  const { epsilon } = headlineEpsilon(slice);
  const rows = rankArchitectures(run, slice, epsilon);
  const withWorst = slice.variants.length > 1;
  const columns = ['clean', ...(withWorst ? ['worst case'] : []), ...slice.variants.map((variant) => variant.label)];
  const withCost = slice.trainings.length === 2;
  const kinds = [rows.length > 1 && 'sortable', columns.length * slice.trainings.length > 5 && 'broad'];
  return html`<section class="scroll" tabindex="0" aria-labelledby="headline-caption-${index}">
<table class="headline grouped ${kinds.filter((kind) => kind !== false).join(' ')}">
<caption id="headline-caption-${index}"><span>${sharesOf(slice, run)}, in percent with 95&nbsp;% intervals, at ${together(`${normSymbol(slice.norm)} ε = ${radius(epsilon)}`)}, ${datasetTitle(slice.dataset)}.</span></caption>
<thead>
<tr><th rowspan="2" scope="col" class="name">Architecture</th>${slice.trainings.map(
    (training) => html`<th colspan="${columns.length}" scope="colgroup" class="group">${trainingTitle(training)}</th>`,
  )}${withCost && html`<th colspan="2" scope="colgroup" class="group">Difference</th>`}</tr>
<tr>${slice.trainings.map((_, t) => columns.map((column, i) => columnHead(column, i === 0, isDefaultSort(slice, t, i))))}${
    withCost &&
    html`${columnHead('clean', true, false)}${columnHead(withWorst ? 'worst case' : 'attacked', false, false)}`
  }</tr>
</thead>
<tbody>${rows.map((row) => renderRow(run, row, { withWorst, withCost, width: columns.length }))}</tbody>
</table>
</section>
${notes(run, slice, rows)}`;
}

const sharesOf = ({ goal }: Slice, { classes }: Run): string =>
  goal.kind === 'untargeted'
    ? 'Share of images classified correctly'
    : `Share of images classified correctly without attack and, under it, not taken for ${className(goal.target, classes)}`;

const columnHead = (label: string, startsGroup: boolean, sorted: boolean): Html =>
  html`<th scope="col" class="${startsGroup && 'start'}"${sorted && html` aria-sort="descending"`}>${label}</th>`;

/** The table comes sorted by its last worst case, right of clean: that of the training which is meant to be robust. */
const isDefaultSort = (slice: Slice, training: number, column: number): boolean =>
  training === slice.trainings.length - 1 && column === 1;

interface Shape {
  readonly withWorst: boolean;
  readonly withCost: boolean;
  readonly width: number;
}

function renderRow(run: Run, { arch, standings }: Ranked, { withWorst, withCost, width }: Shape): Html {
  return html`<tr>${rowHead(run, arch)}${standings.map((standing) =>
    standing === undefined
      ? Array.from({ length: width }, (_, i) => absent(i === 0))
      : [
          measuredCell(standing.clean, 'ink', 'start'),
          withWorst && worstCell(standing.worst, standing),
          ...standing.attacked.map((measured) => {
            if (measured === undefined) return absent(false);
            return withWorst ? measuredCell(measured, 'muted', 'attack') : worstCell(measured, standing);
          }),
        ],
  )}${withCost && cost(standings)}</tr>`;
}

function rowHead(run: Run, arch: string): Html {
  const known = run.architectures.find((architecture) => architecture.name === arch);
  const link = known?.paper !== undefined && html`<a href="${known.paper}">paper</a>`;
  const origin = known?.year === undefined ? link : html`${known.year}${link && html` · ${link}`}`;
  const form = known && formInWords(known);
  const details =
    known &&
    html`${origin && html`<small>${origin}</small>`}<small>${together(`${compact(known.parameters)} parameters`)}</small>${form !== undefined && html`<small>${together(form)}</small>`}`;
  return html`<th scope="row" class="name">${together(architectureTitle(run, arch))}${details}</th>`;
}

const absent = (startsGroup: boolean): Html =>
  html`<td class="absent ${startsGroup && 'start'}" data-value="-2">${dash('not measured')}</td>`;

const measuredCell = (measured: Measured, colour: 'ink' | 'muted' | 'attacked', kind: string): Html =>
  html`<td class="${kind}" data-value="${measured.share}"><span class="number">${percent(measured.share)}</span>${intervalBar(measured, colour)}<small class="interval">${interval(measured.interval)}</small></td>`;

/** In the colour of attacks only where one is seen to have done harm. */
const worstCell = (measured: Measured, { clean }: Standing): Html =>
  isBelow(measured, clean)
    ? measuredCell(measured, 'attacked', 'worst fallen')
    : measuredCell(measured, 'ink', 'worst');

/** What the second training costs without attack, and what it gains under the worst one, in percentage points. */
function cost([before, after]: Ranked['standings']): Html {
  if (before === undefined || after === undefined) return html`${absent(true)}${absent(false)}`;
  const clean = after.clean.share - before.clean.share;
  const worst = after.worst.share - before.worst.share;
  return html`<td class="start" data-value="${clean}"><span class="number">${points(clean)}</span><small>points</small></td><td data-value="${worst}"><span class="number">${points(worst)}</span><small>points</small></td>`;
}

function notes(run: Run, slice: Slice, rows: readonly Ranked[]): Html {
  const { epsilon, why } = headlineEpsilon(slice);
  const standings = rows.flatMap((row) => row.standings).filter((standing) => standing !== undefined);
  const counts = [...new Set(standings.map((standing) => standing.worst.images))];
  const images =
    counts.length === 1 ? `${whole(counts[0] ?? 0)} images a cell.` : 'The cells differ in their number of images.';
  const baselines = run.attacks.filter((attack) => attack.access === 'none').map((attack) => attack.name);
  const baseline =
    baselines.some((name) => slice.variants.some((variant) => variant.attack === name)) &&
    ` The baseline, ${enumerate(baselines)}, aims at nothing: an attack must beat it.`;
  return html`<p class="note">${images} Images misclassified without attack are not attacked and count as not robust. The table shows ${together(`ε = ${radius(epsilon)}`)}: ${why}.${baseline} ${worstNote(run, slice, standings)} ${roundingNote(slice, epsilon)}</p>`;
}

function worstNote({ sources }: Run, slice: Slice, standings: readonly Standing[]): string {
  if (slice.variants.length < 2) return '';
  if (standings.every((standing) => standing.perImage))
    return 'Worst case: an image counts only if it withstood every attack.';
  const lowest =
    sources === undefined
      ? 'the lowest of the attacks'
      : 'the lowest of the attacks, alone or as one run took them together';
  return `Worst case: ${lowest}; counted image by image it can only be lower.`;
}

/** Whether the attacks survive being saved as ordinary pictures. */
function roundingNote(slice: Slice, epsilon: number): string {
  const gains = slice.cells
    .filter((cell) => sameRadius(cell.epsilon, epsilon))
    .map((cell) => cell.robustAccuracy8bit - cell.robustAccuracy);
  const largest = Math.max(...gains.map(Math.abs));
  return largest === 0
    ? 'Rounding the adversarial images to 8 bits changes nothing.'
    : `Rounding the adversarial images to 8 bits moves no cell by more than ${points(largest).slice(1)} points.`;
}

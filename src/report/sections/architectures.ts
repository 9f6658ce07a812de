import type { Performance, Run } from '../../core/run.ts';
import { dash } from '../dash.ts';
import { compact, megabytes, percent, rate } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { formInWords } from '../names.ts';
import { accuracySources } from '../sources.ts';
import { defineSection } from './section.ts';

/** What the networks are and what they cost: the idea of each, its size and work, and how fast it was on this machine. */
export const architectures = defineSection({
  id: 'architectures',
  title: 'Architectures',
  render: (run) => (run.architectures.length === 0 ? undefined : architecturesTable(run)),
});

type Architecture = Run['architectures'][number];

/** A row of the table: an architecture with what was measured of its networks, of all ways of training. */
interface Row {
  readonly architecture: Architecture;
  readonly measured: readonly Performance[];
}

interface Column {
  readonly group: 'network' | 'machine' | 'published';
  readonly head: string;
  /** Undefined where it is not known. */
  readonly value: (row: Row) => number | undefined;
  readonly shown: (value: number) => string;
}

const mean = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
};

const largest = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

const errorOf = (share: number | undefined): number | undefined => (share === undefined ? undefined : 1 - share);

const COLUMNS: readonly Column[] = [
  { group: 'network', head: 'parameters', value: ({ architecture }) => architecture.parameters, shown: compact },
  { group: 'network', head: 'multiply-adds', value: ({ architecture }) => architecture.multiplyAdds, shown: compact },
  {
    group: 'machine',
    head: 'images/s',
    value: ({ measured }) => mean(measured.map((one) => one.forwardPerSecond)),
    shown: rate,
  },
  {
    group: 'machine',
    head: 'gradients/s',
    value: ({ measured }) => mean(measured.map((one) => one.gradientsPerSecond)),
    shown: rate,
  },
  {
    group: 'machine',
    head: 'memory',
    value: ({ measured }) => largest(measured.map((one) => one.peakMemory)),
    shown: megabytes,
  },
  {
    group: 'published',
    head: 'top-1',
    value: ({ architecture }) => errorOf(architecture.published?.top1),
    shown: percent,
  },
  {
    group: 'published',
    head: 'top-5',
    value: ({ architecture }) => errorOf(architecture.published?.top5),
    shown: percent,
  },
];

const GROUPS: Readonly<Record<Exclude<Column['group'], 'network'>, string>> = {
  machine: 'On this machine',
  published: 'ImageNet form, published error',
};

/** What was done to the networks of a run. */
const treatment = ({ cells }: Run): string => (cells.length > 0 ? 'attacked' : 'certified');

function architecturesTable(run: Run): Html {
  const done = treatment(run);
  const rows = run.architectures
    .map((architecture): Row => ({ architecture, measured: performanceOf(run, architecture.name) }))
    .toSorted((a, b) => (a.architecture.year ?? 0) - (b.architecture.year ?? 0));
  const columns = COLUMNS.filter(({ value }) => rows.some((row) => value(row) !== undefined));
  const groups = (['network', 'machine', 'published'] as const)
    .map((group) => ({ group, width: columns.filter((column) => column.group === group).length }))
    .filter(({ width }) => width > 0);
  return html`<section class="scroll" tabindex="0" aria-labelledby="architectures-caption">
<table class="architectures grouped ${rows.length > 1 && 'sortable'}">
<caption id="architectures-caption"><span>${
    rows.length > 1
      ? `The ideas, oldest first, and what the networks that were ${done} cost.`
      : `The idea, and what the network that was ${done} costs.`
  }</span></caption>
<thead>
<tr><th rowspan="2" scope="col" class="name">Architecture</th><th rowspan="2" scope="col" class="idea">Idea</th>${groups.map(({ group, width }) => html`<th colspan="${width}" scope="colgroup" class="group">${group === 'network' ? `The network ${done}` : GROUPS[group]}</th>`)}</tr>
<tr>${columns.map((column, i) => html`<th scope="col" class="figure ${startsGroup(columns, i) && 'start'}">${column.head}</th>`)}</tr>
</thead>
<tbody>${rows.map((row) => html`<tr>${rowHead(row.architecture)}${columns.map((column, i) => cell(column, row, startsGroup(columns, i)))}</tr>`)}</tbody>
</table>
</section>
${notes(run, rows, columns)}`;
}

/** Of its networks, in the order of the run. */
function performanceOf({ cells, performance = [] }: Run, arch: string): readonly Performance[] {
  const names = new Set(cells.filter((cell) => cell.arch === arch).map(({ training }) => `${arch}/${training}`));
  return performance.filter(({ contender }) => names.has(contender));
}

const startsGroup = (columns: readonly Column[], i: number): boolean => columns[i]?.group !== columns[i - 1]?.group;

function rowHead(architecture: Architecture): Html {
  const { title, year, paper, idea } = architecture;
  const form = formInWords(architecture);
  const link = paper !== undefined && html`<a href="${paper}">paper</a>`;
  const origin = year === undefined ? link : html`${year}${link && html` · ${link}`}`;
  return html`<th scope="row" class="name">${together(title)}${origin && html`<small>${origin}</small>`}${form !== undefined && html`<small>${together(form)}</small>`}</th><td class="idea">${idea}</td>`;
}

function cell({ value, shown }: Column, row: Row, starts: boolean): Html {
  const known = value(row);
  if (known === undefined) {
    return html`<td class="figure absent ${starts && 'start'}" data-value="-1">${dash('not known')}</td>`;
  }
  return html`<td class="figure ${starts && 'start'}" data-value="${known}">${shown(known)}</td>`;
}

function notes(run: Run, rows: readonly Row[], columns: readonly Column[]): Html | undefined {
  const has = (group: Column['group']): boolean => columns.some((column) => column.group === group);
  const { cpu, backend } = run.provenance;
  const combined = rows.some(({ measured }) => measured.length > 1)
    ? ' Of several ways of training, rates are means and memory is the largest.'
    : '';
  const words = [
    columns.some(({ head }) => head === 'multiply-adds') &&
      'Multiply-adds are those of convolutions and dense layers in one forward pass of one image.',
    has('machine') &&
      `Measured during the run with ${backend} on ${cpu}: images a second of the clean pass, reading them included; gradients a second under attack, verification included; the most memory that the process was seen to hold.${combined}`,
    has('published') &&
      `The error is the published one on ImageNet, of the paper's form for images of 224x224 and not of the network ${treatment(run)} here: ${accuracySources(run.architectures)}.`,
  ].filter((sentence) => sentence !== false);
  return words.length === 0 ? undefined : html`<p class="note">${words.join(' ')}</p>`;
}

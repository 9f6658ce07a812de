import type { Run, Transfer } from '../../core/run.ts';
import { dash } from '../dash.ts';
import { asSentence, interval, normSymbol, percent, radius, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained } from '../names.ts';
import { type Contender, groupBy, isOf } from '../slice.ts';
import { defineSection } from './section.ts';

/** How far images made against one network fool the others: a matrix per attack, sources down, targets across. */
export const transfer = defineSection({
  id: 'transfer',
  title: 'How far adversarial images carry over',
  render: (run) => (run.transfer === undefined || run.transfer.length === 0 ? undefined : matrices(run, run.transfer)),
});

function matrices(run: Run, entries: readonly Transfer[]): Html {
  const groups = groupBy(entries, ({ attack, norm, epsilon }) => JSON.stringify([attack, norm, epsilon]));
  const rule = run.provenance.transferRule;
  return html`<p>Each row holds the images made against one network; each box says how many of them the network of its column still classifies correctly. Down the diagonal that is the network which they were made against.</p>
${[...groups.values()].map((group, i) => matrix(run, group, i))}
<p class="note">Shares are of the images that both networks classify correctly without attack, with 95&nbsp;% intervals; the stronger the shade of a box, the fewer withstand.${rule !== undefined && html` ${asSentence(rule)}`}</p>`;
}

/** The networks in order of first appearance. */
const distinct = (networks: readonly Contender[]): readonly Contender[] =>
  networks.filter((network, i) => networks.findIndex((other) => isOf(network, other)) === i);

function matrix(run: Run, entries: readonly Transfer[], index: number): Html | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  const sources = distinct(entries.map(({ source }) => source));
  const targets = distinct(entries.map(({ target }) => target));
  const at = together(`${normSymbol(first.norm)} ε = ${radius(first.epsilon)}`);
  const find = (source: Contender, target: Contender): Transfer | undefined =>
    entries.find((entry) => isOf(source, entry.source) && isOf(target, entry.target));
  return html`<section class="scroll" tabindex="0" aria-labelledby="transfer-caption-${index}">
<table class="transfer plain">
<caption id="transfer-caption-${index}"><span><b>${first.attack}</b>, ${at}: images still classified correctly.</span></caption>
<thead>
<tr><th rowspan="2" scope="col">Made against</th><th colspan="${targets.length}" scope="colgroup" class="figure">tried on</th></tr>
<tr>${targets.map((target) => html`<th scope="col" class="figure">${networkName(run, target)}</th>`)}</tr>
</thead>
<tbody>${sources.map(
    (source) =>
      html`<tr><th scope="row">${networkName(run, source)}</th>${targets.map((target) => box(find(source, target)))}</tr>`,
  )}</tbody>
</table>
</section>`;
}

const networkName = (run: Run, { arch, training }: Contender): Html =>
  html`${together(architectureTitle(run, arch))}<small>${howTrained(training)}</small>`;

/** Shades of a box, from none where every image withstands. */
const SHADES = 6;

function box(entry: Transfer | undefined): Html {
  if (entry === undefined) return html`<td class="figure absent">${dash('no image in common')}</td>`;
  const { source, target, accuracy, wilson95, images } = entry;
  const shade = Math.min(SHADES - 1, Math.floor((1 - accuracy) * SHADES));
  return html`<td class="figure shade-${shade}"><span class="number">${percent(accuracy)}</span><small class="interval">${interval(wilson95)}</small><small>${isOf(source, target) ? 'itself, ' : ''}${whole(images)} images</small></td>`;
}

import type { Distances, Run } from '../../core/run.ts';
import { attackStyles } from '../attack-style.ts';
import { distancePanel } from '../charts/distance-panel.ts';
import { lineSample } from '../charts/line-sample.ts';
import { dash } from '../dash.ts';
import { spreadOf, survival } from '../distance-spread.ts';
import { normSymbol, percent, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained, networkTitle } from '../names.ts';
import { type Contender, groupBy } from '../slice.ts';
import { defineSection } from './section.ts';

/** How far the nearest adversarial images are that attacks of minimum norm found: a table, and what is left at every radius. */
export const distances = defineSection({
  id: 'distances',
  title: 'Distance to the nearest adversarial image',
  render: (run) => (run.distances === undefined || run.distances.length === 0 ? undefined : byNorm(run, run.distances)),
});

function byNorm(run: Run, entries: readonly Distances[]): Html {
  const attacks = [...new Set(entries.map(({ attack }) => attack))];
  const groups = [...groupBy(entries, ({ norm }) => norm).values()];
  return html`<p>${attacks.length === 1 ? html`The attack <b>${attacks[0]}</b> seeks` : 'Attacks of minimum norm seek'} the nearest adversarial image instead of one in a ball. What is found bounds the true distance from above: a nearer one may be there.</p>
${groups.map((group, i) => html`${spreadTable(run, group, i)}${curves(run, group, i)}`)}
<p class="note">Images misclassified without attack count as 0 away; those for which nothing was found, as farther than all others.</p>`;
}

const networkKey = ({ arch, training }: Contender): string => JSON.stringify([arch, training]);

function spreadTable(run: Run, entries: readonly Distances[], index: number): Html {
  const [first] = entries;
  return html`<section class="scroll" tabindex="0" aria-labelledby="distances-caption-${index}">
<table class="plain sortable distances">
<caption id="distances-caption-${index}"><span>${first && normSymbol(first.norm)} distance of images to the nearest adversarial one that was found.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col" class="figure">Images</th><th scope="col" class="figure">Found</th><th scope="col" class="figure">Lower quartile</th><th scope="col" class="figure">Median</th><th scope="col" class="figure">Upper quartile</th></tr></thead>
<tbody>${entries.map((entry) => spreadRow(run, entry))}</tbody>
</table>
</section>`;
}

function spreadRow(run: Run, entry: Distances): Html {
  const { images, found, lower, median, upper } = spreadOf(entry);
  return html`<tr><th scope="row">${architectureTitle(run, entry.arch)}</th><td>${entry.training}</td><td>${entry.attack}</td><td class="figure" data-value="${images}">${whole(images)}</td><td class="figure" data-value="${found / images}">${percent(found / images)}</td>${[lower, median, upper].map(distanceCell)}</tr>`;
}

/** In three digits: `1.40`, `0.0123`, `1,235`. */
const shown = (distance: number): string =>
  distance >= 999.5 ? whole(Math.round(distance)) : distance === 0 ? '0' : distance.toPrecision(3);

/** What was not found is farther than all that was, also in a sorted table. */
const distanceCell = (distance: number | null): Html =>
  distance === null
    ? html`<td class="figure absent" data-value="${Number.MAX_VALUE}">${dash('not found')}</td>`
    : html`<td class="figure" data-value="${distance}">${shown(distance)}</td>`;

/** Columns of a curve: finer than a screen shows would be bytes for nothing. */
const RESOLUTION = 320;

function curves(run: Run, entries: readonly Distances[], index: number): Html | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  const { norm } = first;
  const largest = entries.reduce(
    (most, { values }) => values.reduce<number>((far, value) => Math.max(far, value ?? 0), most),
    0,
  );
  const names = [...new Set(entries.map(({ attack }) => attack))];
  const styleOf = attackStyles(run);
  const panels = [...groupBy(entries, networkKey).values()].map((group, i) => {
    const [network = first] = group;
    const chart = distancePanel({
      ...{ id: `distances-${index}-${i}`, norm, names, largest: largest > 0 ? largest : 1 },
      title: `Images of ${networkTitle(run, network)} left, against the distance`,
      series: group.map((entry) => ({
        ...{ label: entry.attack, style: styleOf(entry.attack), median: entry.median },
        steps: survival(entry, largest > 0 ? largest : 1, RESOLUTION),
      })),
    });
    return html`<div class="panel"><p class="panel-title"><b>${architectureTitle(run, network.arch)}</b> ${howTrained(network.training)}</p>${chart}</div>`;
  });
  return html`<figure class="distances">
<ul class="legend">${names.map((name) => html`<li>${lineSample(styleOf(name))}<b>${together(name)}</b></li>`)}</ul>
<div class="panels">${panels}</div>
<figcaption>${finding(run, entries)} The curves are the share of images that are farther than r from an adversarial one: the accuracy that the attack leaves at every radius. Markers stand at the medians.</figcaption>
</figure>`;
}

/** Who stands farthest and who nearest, each by the attack that came nearest. */
function finding(run: Run, entries: readonly Distances[]): Html {
  const medianOf = ({ median }: Distances): number => median ?? Number.POSITIVE_INFINITY;
  const nearest = [...groupBy(entries, networkKey).values()]
    .flatMap((group) => group.toSorted((a, b) => medianOf(a) - medianOf(b)).slice(0, 1))
    .toSorted((a, b) => medianOf(b) - medianOf(a));
  const found = nearest.filter(({ median }) => median !== null);
  const missing = nearest.length - found.length;
  const [far, near] = [found[0], found.length > 1 ? found.at(-1) : undefined];
  const away = ({ norm, median, attack }: Distances): Html =>
    html`${together(`${normSymbol(norm)} ${shown(median ?? 0)}`)} (${attack})`;
  return html`${
    far &&
    html`The median image of ${networkTitle(run, far)} lies ${away(far)} from an adversarial one${near && html`, that of ${networkTitle(run, near)} ${away(near)}${found.length > 2 && `: the farthest and the nearest of ${found.length} networks`}`}.`
  }${missing > 0 && ` ${missingWords(run, nearest[0], missing)}`}`;
}

/** Of networks whose median image has none. */
const missingWords = (run: Run, one: Distances | undefined, count: number): string =>
  `For ${count === 1 && one !== undefined ? networkTitle(run, one) : `${count} networks`}, half of the images or more have none that was found.`;

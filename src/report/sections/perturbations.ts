import type { Perturbations, Run } from '../../core/run.ts';
import { attackStyles } from '../attack-style.ts';
import { lineSample } from '../charts/line-sample.ts';
import { sizePanel } from '../charts/size-panel.ts';
import { dash } from '../dash.ts';
import { normSymbol, percent, radius, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained, networkTitle } from '../names.ts';
import { panelsOf } from '../panels.ts';
import { quantileAt } from '../quantile-at.ts';
import { groupBy } from '../slice.ts';
import { defineSection } from './section.ts';

/** How large perturbations are: in L2 whatever the ball, and how many values are moved as far as they may be. */
export const perturbations = defineSection({
  id: 'perturbations',
  title: 'How large the perturbations are',
  render: (run) =>
    run.perturbations === undefined || run.perturbations.length === 0 ? undefined : sizes(run, run.perturbations),
});

/** Panels that need no unfolding. */
const IN_SIGHT = 6;

function sizes(run: Run, entries: readonly Perturbations[]): Html {
  const styleOf = attackStyles(run);
  const names = [...new Set(entries.map(({ attack }) => attack))];
  const farthest = Math.max(...entries.map(({ l2 }) => l2.at(-1) ?? 0));
  const largest = farthest > 0 ? farthest : 1;
  const groups = groupBy(entries, ({ arch, training, norm, epsilon }) =>
    JSON.stringify([arch, training, norm, epsilon]),
  );
  const panels = [...groups.values()].flatMap((group, i) => {
    const [first] = group;
    if (first === undefined) return [];
    const chart = sizePanel({
      ...{ id: `perturbations-${i}`, names, largest, title: `Perturbations of images of ${networkTitle(run, first)}` },
      series: group.map((one) => ({ label: one.attack, style: styleOf(one.attack), sizes: one })),
    });
    return html`<div class="panel"><p class="panel-title"><b>${architectureTitle(run, first.arch)}</b> ${howTrained(first.training)}, ${together(`${normSymbol(first.norm)} ε = ${radius(first.epsilon)}`)}</p>${chart}</div>`;
  });
  const hasRows = entries.some(({ atBound }) => atBound !== undefined);
  return html`<figure class="perturbations">
<ul class="legend">${names.map((name) => html`<li>${lineSample(styleOf(name))}<b>${together(name)}</b></li>`)}</ul>
${panelsOf(panels, IN_SIGHT)}
<figcaption>${finding(run, entries)} The curves are the share of the images whose perturbation is no larger; markers stand at the medians.${hasRows && html` Below, the share of an image’s values that are moved by the whole radius, up or down: a marker at the median image, a thick line over the middle half of the images and a thin one over the middle eight in ten. What the edge of the box [0,1] stops is moved by less.`}</figcaption>
</figure>
<p class="note">Of images attacked at this radius, fooled or not: where the attack ended, which is where it first fooled the network unless it was made to go on. Each network is shown at the largest radius, up to that of the headline, which at least half of its images came to without falling at a smaller one.${run.sources && ' Each of the joined runs chose it by its own attacks, so compare attacks at one radius alone.'}</p>
${numbers(run, entries)}`;
}

/** In three digits: `1.40`, `0.0123`, `1,235`. */
const shown = (size: number): string =>
  size >= 999.5 ? whole(Math.round(size)) : size === 0 ? '0' : size.toPrecision(3);

/** Which attack needs the least, of those that succeed often enough for it to mean something. */
function finding(run: Run, entries: readonly Perturbations[]): Html | undefined {
  const fooling = entries.filter(({ fooled, images }) => 2 * fooled >= images);
  const [least] = fooling.toSorted((a, b) => (quantileAt(a.l2, 0.5) ?? 0) - (quantileAt(b.l2, 0.5) ?? 0));
  if (least === undefined) return undefined;
  const bound = quantileAt(least.atBound, 0.5);
  return html`The smallest perturbations that fool half of the images or more are those of <b>${least.attack}</b> on ${networkTitle(run, least)}, the median ${together(`${shown(quantileAt(least.l2, 0.5) ?? 0)} in L2`)}${bound !== undefined && html`, with ${together(percent(bound))} of the values moved by the whole radius`}.`;
}

function numbers(run: Run, entries: readonly Perturbations[]): Html {
  const columns = [0.05, 0.5, 0.95];
  const cell = (value: number | undefined, show: (value: number) => string): Html =>
    value === undefined
      ? html`<td class="figure absent" data-value="-1">${dash('not measured')}</td>`
      : html`<td class="figure" data-value="${value}">${show(value)}</td>`;
  return html`<details><summary>The numbers (${whole(entries.length)} rows)</summary>
<section class="scroll" tabindex="0" aria-labelledby="perturbations-numbers">
<table class="plain sortable">
<caption id="perturbations-numbers"><span>L2 norms of the perturbations, and the share of the values moved by the whole radius: one image in twenty has no more, half have, nineteen in twenty. All quantiles are in perturbations.csv.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col" class="figure">ε</th><th scope="col" class="figure">Images</th><th scope="col" class="figure">Fooled</th><th scope="col" class="figure">L2, 5&nbsp;%</th><th scope="col" class="figure">Median</th><th scope="col" class="figure">95&nbsp;%</th><th scope="col" class="figure">At ±ε, 5&nbsp;%</th><th scope="col" class="figure">Median</th><th scope="col" class="figure">95&nbsp;%</th></tr></thead>
<tbody>${entries.map(
    ({ arch, training, attack, epsilon, images, fooled, l2, atBound }) =>
      html`<tr><th scope="row">${architectureTitle(run, arch)}</th><td>${training}</td><td>${attack}</td>${[
        cell(epsilon, radius),
        cell(images, whole),
        cell(fooled, whole),
        ...columns.map((share) => cell(quantileAt(l2, share), shown)),
        ...columns.map((share) => cell(quantileAt(atBound, share), percent)),
      ]}</tr>`,
  )}</tbody>
</table>
</section></details>`;
}

import type { DefendedCell, Run } from '../../core/run.ts';
import { type AccuracySeries, accuracyPanel } from '../charts/accuracy-panel.ts';
import { lineSample } from '../charts/line-sample.ts';
import { asSentence, interval, percent, radius, whole } from '../format.ts';
import { headlineEpsilon } from '../headline-epsilon.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained } from '../names.ts';
import { BASELINE, lineStyle } from '../palette.ts';
import { cleanOf, groupBy, type Measured, robustOf, slicesOf } from '../slice.ts';
import { defineSection } from './section.ts';

/** What each defense seems to be worth, and what it is worth: a panel and rows of numbers per defended network and attack. */
export const defenses = defineSection({
  id: 'defenses',
  title: 'Defenses: naive against adaptive',
  render: (run) => (run.defended === undefined || run.defended.length === 0 ? undefined : compare(run, run.defended)),
});

/** Which adversary, as a line and in words. */
const LINES: readonly (Pick<AccuracySeries, 'label' | 'style'> & Record<'legend' | 'words', string>)[] = [
  {
    ...{ label: 'undefended', style: BASELINE, words: 'of the undefended network' },
    legend: 'the same network without the defense',
  },
  {
    ...{ label: 'naive', style: lineStyle(0), words: 'under the naive attack' },
    legend: 'images made against the network without the defense',
  },
  { label: 'adaptive', style: lineStyle(3), words: 'under the adaptive one', legend: 'the attack knows the defense' },
];

function compare(run: Run, entries: readonly DefendedCell[]): Html {
  const groups = [
    ...groupBy(entries, ({ arch, training, attack }) => JSON.stringify([arch, training, attack])).values(),
  ];
  const { naiveRule } = run.provenance;
  return html`<p>An attack that does not know of a defense says what the defense seems to be worth; one that does, what it is worth. Believe the adaptive one.</p>
<figure class="accuracy">
<ul class="legend">${LINES.map(({ label, style, legend }) => html`<li>${lineSample(style)}<b>${together(label)}</b> <span>${legend}</span></li>`)}</ul>
<div class="panels">${groups.map((group, i) => panel(run, group, `defenses-${i}`))}</div>
<figcaption>Accuracy against how far the adversary may go. Bands are 95&nbsp;% intervals; the hollow circle at ${together('ε = 0')} is the accuracy of the defended network without attack; the dashed level is that of guessing; the upright line marks the radius of the headline.</figcaption>
</figure>
${numbers(run, entries)}
<ul class="methods">${(run.defenses ?? []).map(
    ({ name, title, paper, params, adversary }) =>
      html`<li><b>${name}</b> ${paper === undefined ? title : html`<a href="${paper}">${title}</a>`}${Object.entries(params).map(([key, value]) => `, ${key} ${String(value)}`)}; the adaptive adversary follows ${adversary}.</li>`,
  )}</ul>
${naiveRule !== undefined && html`<p class="note">${asSentence(naiveRule)}</p>`}`;
}

const nameOf = (run: Run, { arch }: DefendedCell): string => architectureTitle(run, arch);

function panel(run: Run, group: readonly DefendedCell[], id: string): Html | undefined {
  const [first] = group;
  const slice = slicesOf(run).find(({ norm }) => norm === first?.norm);
  if (first === undefined || slice === undefined) return undefined;
  const cells = slice.cells.filter(({ arch, attack }) => arch === first.arch && attack === first.attack);
  const own = cells.find(({ training }) => training === first.training);
  if (own === undefined) return undefined;
  const undefended = cells
    .filter(({ training }) => training === first.undefended)
    .map((cell) => ({ epsilon: cell.epsilon, measured: robustOf(cell) }));
  const of = (measured: (cell: DefendedCell) => Measured) =>
    group.map((cell) => ({ epsilon: cell.epsilon, measured: measured(cell) }));
  const how = howTrained(first.training);
  const points = [undefended, of(naiveOf), of(adaptiveOf)];
  const chart = accuracyPanel({
    id,
    title: `Accuracy of ${nameOf(run, first)}, ${how}, under naive and adaptive ${first.attack}`,
    norm: slice.norm,
    grid: slice.epsilons,
    marked: headlineEpsilon(slice).epsilon,
    clean: cleanOf(own),
    chance: 1 / Math.max(1, run.classes.length),
    names: LINES.map(({ label }) => label),
    series: LINES.flatMap(({ label, style, words }, i): AccuracySeries[] => {
      const positive = (points[i] ?? []).filter(({ epsilon }) => epsilon > 0).toSorted((a, b) => a.epsilon - b.epsilon);
      return positive.length === 0 ? [] : [{ label, words, style, points: positive }];
    }),
  });
  return html`<div class="panel"><p class="panel-title"><b>${nameOf(run, first)}</b> ${how}, ${first.attack}</p>${chart}</div>`;
}

const naiveOf = ({ images, naiveAccuracy, naiveWilson95 }: DefendedCell): Measured => ({
  ...{ images, share: naiveAccuracy, interval: naiveWilson95 },
});

const adaptiveOf = ({ images, adaptiveAccuracy, adaptiveWilson95 }: DefendedCell): Measured => ({
  ...{ images, share: adaptiveAccuracy, interval: adaptiveWilson95 },
});

function numbers(run: Run, entries: readonly DefendedCell[]): Html {
  return html`<details><summary>The numbers (${whole(entries.length)} rows)</summary>
<section class="scroll" tabindex="0" aria-labelledby="defenses-numbers">
<table class="plain sortable">
<caption id="defenses-numbers"><span>Images correct without attack and under it, by the adversary who does not know the defense and the one who does.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col" class="figure">ε</th><th scope="col" class="figure">Clean</th><th scope="col" class="figure">Naive</th><th scope="col" class="figure">95&nbsp;% interval</th><th scope="col" class="figure">Adaptive</th><th scope="col" class="figure">95&nbsp;% interval</th><th scope="col" class="figure">Images</th></tr></thead>
<tbody>${entries.map((entry) => row(run, entry))}</tbody>
</table>
</section></details>`;
}

function row(run: Run, entry: DefendedCell): Html {
  const { epsilon, cleanCorrect, images, naiveAccuracy, adaptiveAccuracy, naiveWilson95, adaptiveWilson95 } = entry;
  const clean = cleanCorrect / images;
  return html`<tr><th scope="row">${nameOf(run, entry)}</th><td>${entry.training}</td><td>${entry.attack}</td>${[
    figureCell(epsilon, radius(epsilon)),
    figureCell(clean, percent(clean)),
    figureCell(naiveAccuracy, percent(naiveAccuracy)),
    figureCell(naiveWilson95[0], interval(naiveWilson95)),
    figureCell(adaptiveAccuracy, percent(adaptiveAccuracy)),
    figureCell(adaptiveWilson95[0], interval(adaptiveWilson95)),
    figureCell(images, whole(images)),
  ]}</tr>`;
}

const figureCell = (value: number, text: string): Html => html`<td class="figure" data-value="${value}">${text}</td>`;

import type { Run } from '../../core/run.ts';
import { type AccuracySeries, accuracyPanel } from '../charts/accuracy-panel.ts';
import { lineSample } from '../charts/line-sample.ts';
import { interval, percent, radius, whole } from '../format.ts';
import { headlineEpsilon } from '../headline-epsilon.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained } from '../names.ts';
import { BASELINE, type LineStyle, lineStyle } from '../palette.ts';
import { rankContenders } from '../ranking.ts';
import { type Contender, cleanOf, isOf, robustOf, type Slice, slicesOf, type Variant } from '../slice.ts';
import { defineSection } from './section.ts';

/** Small multiples: a panel per network, a line per attack, the same axes everywhere. */
export const accuracy = defineSection({
  id: 'accuracy',
  title: 'Accuracy against epsilon',
  render: (run) =>
    run.cells.length === 0 ? undefined : html`${slicesOf(run).map((slice, i) => accuracyFigure(run, slice, i))}`,
});

function accuracyFigure(run: Run, slice: Slice, index: number): Html {
  const styles = stylesOf(run, slice.variants);
  const contenders = rankContenders(run, slice, headlineEpsilon(slice).epsilon);
  return html`<figure class="accuracy">
<ul class="legend">${slice.variants.map((variant, i) => legendEntry(run, variant, styles[i] ?? BASELINE))}</ul>
<div class="panels">${contenders.map((contender, i) => panel(run, slice, styles, contender, `accuracy-${index}-${i}`))}</div>
<figcaption>Accuracy against how far the adversary may go. ${slice.epsilons.length > 1 ? 'Bands are 95\u00a0% intervals; the' : 'The'} hollow circle at ${together('ε = 0')} is the accuracy without attack; the dashed level is that of guessing; the upright line marks the radius of the table above.</figcaption>
</figure>
${numbers(run, slice, contenders, index)}`;
}

function stylesOf(run: Run, variants: readonly Variant[]): readonly LineStyle[] {
  const baselines = new Set(run.attacks.filter((attack) => attack.access === 'none').map((attack) => attack.name));
  let next = 0;
  return variants.map((variant) => (baselines.has(variant.attack) ? BASELINE : lineStyle(next++)));
}

function legendEntry(run: Run, variant: Variant, style: LineStyle): Html {
  const known = run.attacks.find((attack) => attack.name === variant.attack);
  return html`<li>${lineSample(style)}<b>${together(variant.label)}</b>${known && html` <span>${known.title}</span>`}</li>`;
}

function panel(
  run: Run,
  slice: Slice,
  styles: readonly LineStyle[],
  contender: Contender,
  id: string,
): Html | undefined {
  const cells = slice.cells.filter((cell) => isOf(contender, cell));
  const first = cells[0];
  if (first === undefined) return undefined;
  const name = architectureTitle(run, contender.arch);
  const how = howTrained(contender.training);
  const chart = accuracyPanel({
    id,
    title: `Accuracy of ${name}, ${how}, against epsilon`,
    norm: slice.norm,
    grid: slice.epsilons,
    marked: headlineEpsilon(slice).epsilon,
    clean: cleanOf(first),
    chance: 1 / Math.max(1, run.classes.length),
    names: slice.variants.map(({ label }) => label),
    series: slice.variants.flatMap((variant, i) => seriesOf(variant, contender, styles[i] ?? BASELINE)),
  });
  return html`<div class="panel"><p class="panel-title"><b>${name}</b> ${how}</p>${chart}</div>`;
}

function seriesOf(variant: Variant, contender: Contender, style: LineStyle): readonly AccuracySeries[] {
  const points = variant.cells
    .filter((cell) => isOf(contender, cell) && cell.epsilon > 0)
    .toSorted((a, b) => a.epsilon - b.epsilon)
    .map((cell) => ({ epsilon: cell.epsilon, measured: robustOf(cell) }));
  return points.length === 0 ? [] : [{ label: variant.label, style, points }];
}

/** Every cell of the figure as numbers. */
function numbers(run: Run, slice: Slice, contenders: readonly Contender[], index: number): Html {
  const rows = contenders.flatMap((contender) =>
    slice.variants.flatMap((variant) =>
      variant.cells
        .filter((cell) => isOf(contender, cell))
        .toSorted((a, b) => a.epsilon - b.epsilon)
        .map((cell) => ({ contender, variant, cell })),
    ),
  );
  return html`<details><summary>The numbers (${whole(rows.length)} cells)</summary>
<section class="scroll" tabindex="0" aria-labelledby="accuracy-numbers-${index}">
<table class="plain sortable">
<caption id="accuracy-numbers-${index}"><span>Every measured cell: images correct after the attack, their share with its 95&nbsp;% interval, and the share after rounding to 8 bits.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col" class="figure">ε</th><th scope="col" class="figure">Clean</th><th scope="col" class="figure">Attacked</th><th scope="col" class="figure">95&nbsp;% interval</th><th scope="col" class="figure">8 bits</th><th scope="col" class="figure">Correct</th><th scope="col" class="figure">Images</th></tr></thead>
<tbody>${rows.map(
    ({ contender, variant, cell }) =>
      html`<tr><th scope="row">${architectureTitle(run, contender.arch)}</th><td>${contender.training}</td><td>${variant.label}</td>${[
        figureCell(cell.epsilon, radius(cell.epsilon)),
        figureCell(cell.cleanAccuracy, percent(cell.cleanAccuracy)),
        figureCell(cell.robustAccuracy, percent(cell.robustAccuracy)),
        figureCell(cell.wilson95[0], interval(cell.wilson95)),
        figureCell(cell.robustAccuracy8bit, percent(cell.robustAccuracy8bit)),
        figureCell(cell.robustCorrect, whole(cell.robustCorrect)),
        figureCell(cell.images, whole(cell.images)),
      ]}</tr>`,
  )}</tbody>
</table>
</section></details>`;
}

const figureCell = (value: number, text: string): Html => html`<td class="figure" data-value="${value}">${text}</td>`;

import type { Run, Trace } from '../../core/run.ts';
import { attackStyles } from '../attack-style.ts';
import { coursePanel } from '../charts/course-panel.ts';
import { lineSample } from '../charts/line-sample.ts';
import { dash } from '../dash.ts';
import { normSymbol, percent, radius, signed, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained, networkTitle } from '../names.ts';
import { panelsOf } from '../panels.ts';
import { groupBy } from '../slice.ts';
import { defineSection } from './section.ts';

/** What the steps of iterated attacks bring: images fooled so far and the loss, by the number of steps. */
export const course = defineSection({
  id: 'course',
  title: 'Success and loss, step by step',
  render: (run) => (run.traces === undefined || run.traces.length === 0 ? undefined : curves(run, run.traces)),
});

/** Panels that need no unfolding. */
const IN_SIGHT = 6;

function curves(run: Run, traces: readonly Trace[]): Html {
  const styleOf = attackStyles(run);
  const names = [...new Set(traces.map(({ attack }) => attack))];
  const lengths = traces.map(({ steps }) => steps.at(-1) ?? 0);
  const noted = Math.max(0, ...traces.map(({ loss }) => loss?.images ?? 0));
  const groups = groupBy(traces, ({ arch, training, norm, epsilon }) =>
    JSON.stringify([arch, training, norm, epsilon]),
  );
  const panels = [...groups.values()].flatMap((group, i) => {
    const [first] = group;
    if (first === undefined) return [];
    const chart = coursePanel({
      ...{ id: `course-${i}`, names, lengths, title: `Attacks on ${networkTitle(run, first)}, step by step` },
      series: group.map((trace) => ({ label: trace.attack, style: styleOf(trace.attack), trace })),
    });
    return html`<div class="panel"><p class="panel-title"><b>${architectureTitle(run, first.arch)}</b> ${howTrained(first.training)}, ${atRadius(first)}</p>${chart}</div>`;
  });
  return html`<p>An attack has converged where its curves have become level. One that still fools images with its last steps may fool more with further ones, and what the tables above say of the network be too good.</p>
<figure class="course">
<ul class="legend">${names.map((name) => html`<li>${lineSample(styleOf(name))}<b>${together(name)}</b></li>`)}</ul>
${panelsOf(panels, IN_SIGHT)}
<figcaption>${finding(run, traces)} Above, the share of the images fooled so far, of those that the network classifies correctly without attack.${noted > 0 && html` Below, the loss of up to ${whole(noted)} of them: the margin of logits, which is the best wrong one minus the true one (with a target, the target’s minus the best other), whatever an attack itself raises; of attacks that try a place and may go back, such as square, it is that of what was tried. Above the dashed line, at 0, an image has fallen; from then on it keeps its loss, as it does where an attack ends before its last step.`} The steps of restarts and of the stages of an attack follow one another.</figcaption>
</figure>
<p class="note">Each network is shown at the largest radius, up to that of the headline, which at least half of its images came to under every attack.${run.sources && ' Each of the joined runs chose it by its own attacks, so compare attacks at one radius alone.'} An image that has fallen at a smaller radius is attacked no more, for the larger ball holds the same adversarial image: it counts as fooled from the start, and not in the loss. Attacks of one step have no curve, nor have those of minimum norm, which seek the nearest adversarial image at no radius. An attack that takes steps of ε/T, T being their number, comes to the edge of the ball with the last of them alone.</p>
${numbers(run, traces)}`;
}

const atRadius = ({ norm, epsilon }: Trace): Html => together(`${normSymbol(norm)} ε = ${radius(epsilon)}`);

/** How many images fell in the last quarter of the steps. */
function late({ steps, fooled }: Trace): number {
  const most = steps.at(-1) ?? 0;
  const before = fooled[steps.findLastIndex((step) => step <= 0.75 * most)] ?? 0;
  return (fooled.at(-1) ?? 0) - before;
}

/** Which attack was farthest from its end when it ended. */
function finding(run: Run, traces: readonly Trace[]): Html | undefined {
  const [latest] = traces.toSorted((a, b) => late(b) / b.images - late(a) / a.images);
  if (latest === undefined) return undefined;
  if (late(latest) === 0) return html`In the last quarter of its steps no attack fooled any further image.`;
  const share = percent(late(latest) / latest.images);
  return html`In the last quarter of its steps, <b>${latest.attack}</b> still fooled ${whole(late(latest))} of ${whole(latest.images)} images (${together(share)}) of ${networkTitle(run, latest)}${traces.length > 1 && ': the most that any attack did so late'}.`;
}

/** Rows of a curve in the table, beside the start. */
const ROWS = 10;

/** Every curve at a few of its steps; CSV and run.json hold the others. */
function numbers(run: Run, traces: readonly Trace[]): Html {
  const rows = traces.flatMap((trace) => {
    const last = trace.steps.length - 1;
    const intervals = Math.min(ROWS, last);
    const places = Array.from({ length: intervals + 1 }, (_, i) => Math.round((i * last) / intervals));
    return places.map((place) => ({ trace, place }));
  });
  const number = (value: number, shown: string): Html => html`<td class="figure" data-value="${value}">${shown}</td>`;
  const lossCell = (value: number | null | undefined): Html =>
    value === null || value === undefined
      ? html`<td class="figure absent" data-value="${-Number.MAX_VALUE}">${dash('not noted')}</td>`
      : number(value, signed(value, 3));
  return html`<details><summary>The numbers (${whole(rows.length)} rows)</summary>
<section class="scroll" tabindex="0" aria-labelledby="course-numbers">
<table class="plain sortable">
<caption id="course-numbers"><span>Images fooled within so many steps, and the loss that one image in ten stays below, that half and that nine in ten. What lies between these steps is in traces.csv.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col" class="figure">ε</th><th scope="col" class="figure">Steps</th><th scope="col" class="figure">Fooled</th><th scope="col" class="figure">Share</th><th scope="col" class="figure">Loss, 10&nbsp;%</th><th scope="col" class="figure">Median</th><th scope="col" class="figure">90&nbsp;%</th></tr></thead>
<tbody>${rows.map(({ trace, place }) => {
    const { arch, training, attack, epsilon, steps, fooled, images, loss } = trace;
    const [step = 0, fell = 0] = [steps[place], fooled[place]];
    return html`<tr><th scope="row">${architectureTitle(run, arch)}</th><td>${training}</td><td>${attack}</td>${[
      number(epsilon, radius(epsilon)),
      number(step, whole(step)),
      number(fell, `${whole(fell)} of ${whole(images)}`),
      number(fell / images, percent(fell / images)),
      lossCell(loss?.low[place]),
      lossCell(loss?.median[place]),
      lossCell(loss?.high[place]),
    ]}</tr>`;
  })}</tbody>
</table>
</section></details>`;
}

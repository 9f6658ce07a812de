import type { Confusion, Run } from '../../core/run.ts';
import { confusionPanel } from '../charts/confusion-panel.ts';
import { className, normSymbol, percent, radius, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained, networkTitle } from '../names.ts';
import { panelsOf } from '../panels.ts';
import { groupBy } from '../slice.ts';
import { defineSection } from './section.ts';

/** Where networks break: what the images of each class are taken for under the attack that fools most. */
export const flips = defineSection({
  id: 'flips',
  title: 'Where it breaks',
  render: (run) => {
    const strongest = strongestOf(run);
    return strongest.length === 0 ? undefined : panels(run, strongest);
  },
});

/** Of every network and radius the attack that fools most; those that fool nobody have nothing to show. */
function strongestOf({ confusions = [] }: Run): readonly Confusion[] {
  const groups = groupBy(confusions, ({ arch, training, norm, epsilon }) =>
    JSON.stringify([arch, training, norm, epsilon]),
  );
  return [...groups.values()].flatMap((group) =>
    group
      .filter(({ fooled }) => fooled > 0)
      .toSorted((a, b) => b.fooled - a.fooled)
      .slice(0, 1),
  );
}

/** Panels that need no unfolding. */
const IN_SIGHT = 4;

function panels(run: Run, entries: readonly Confusion[]): Html {
  const hasMatrix = entries.some(({ attacked }) => attacked !== undefined);
  return html`<figure class="flips">
${panelsOf(
  entries.map((entry, i) => panel(run, entry, i)),
  IN_SIGHT,
)}
<figcaption>${finding(run, entries)} Shown is the attack that fools most at the radius of the headline. Counted are images that the network classifies correctly without attack, and what the verified adversarial image is taken for.${hasMatrix && html` A row holds the images of one true class: on the diagonal, outlined, those that withstand; beside it those that are taken for another class, the darker the larger their share of the row.`}</figcaption>
</figure>
${numbers(run, entries)}`;
}

function panel(run: Run, entry: Confusion, index: number): Html {
  const { arch, training, attack, norm, epsilon, fooled, images, attacked } = entry;
  const name = architectureTitle(run, arch);
  const how = howTrained(training);
  const chart =
    attacked === undefined
      ? undefined
      : confusionPanel({
          ...{ id: `flips-${index}`, title: `What images of ${name}, ${how}, are taken for under ${attack}` },
          ...{ classes: run.classes, confusion: { ...entry, attacked } },
        });
  return html`<div class="panel"><p class="panel-title"><b>${name}</b> ${how}</p>
<p class="flips-words">${attack}, ${together(`${normSymbol(norm)} ε = ${radius(epsilon)}`)}: ${whole(fooled)} of ${whole(images)} fooled</p>
${chart}${topFlips(run, entry, attacked === undefined ? 10 : 3)}</div>`;
}

type Flip = Confusion['flips'][number];

/** `4 → 9, 31 of 98`, the most frequent first. */
const topFlips = (run: Run, { flips: all }: Confusion, most: number): Html =>
  html`<ol class="top-flips">${all.slice(0, most).map((flip) => html`<li>${inWords(run, flip)}</li>`)}</ol>`;

const inWords = ({ classes }: Run, { from, to, images, of }: Flip): Html =>
  html`<b>${nameOf(classes, from)} → ${nameOf(classes, to)}</b>, ${together(`${whole(images)} of ${whole(of)}`)}`;

const nameOf = (classes: readonly string[], label: number): string => classes[label] ?? String(label);

/** The most frequent of all flips. */
function finding(run: Run, entries: readonly Confusion[]): Html | undefined {
  const all = entries.flatMap((entry) => entry.flips.slice(0, 1).map((flip) => ({ entry, flip })));
  const [first] = all.toSorted((a, b) => b.flip.images - a.flip.images);
  if (first === undefined) return undefined;
  const { entry, flip } = first;
  const { attack } = entry;
  return html`Most often, ${className(flip.from, run.classes)} is taken for ${className(flip.to, run.classes)}: ${together(`${whole(flip.images)} of ${whole(flip.of)}`)} images of ${networkTitle(run, entry)} under ${attack}.`;
}

function numbers(run: Run, entries: readonly Confusion[]): Html {
  const rows = entries.flatMap((entry) => entry.flips.map((flip) => ({ ...entry, flip })));
  return html`<details><summary>The numbers (${whole(rows.length)} flips)</summary>
<section class="scroll" tabindex="0" aria-labelledby="flips-numbers">
<table class="plain sortable">
<caption id="flips-numbers"><span>Every flip of the figure, the most frequent first. Those of the other attacks are in confusions.csv.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Attack</th><th scope="col">True class</th><th scope="col">Taken for</th><th scope="col" class="figure">Images</th><th scope="col" class="figure">Of the class</th><th scope="col" class="figure">Share</th></tr></thead>
<tbody>${rows.map(
    ({ arch, training, attack, flip: { from, to, images, of } }) =>
      html`<tr><th scope="row">${architectureTitle(run, arch)}</th><td>${training}</td><td>${attack}</td><td data-value="${from}">${nameOf(run.classes, from)}</td><td data-value="${to}">${nameOf(run.classes, to)}</td><td class="figure" data-value="${images}">${whole(images)}</td><td class="figure" data-value="${of}">${whole(of)}</td><td class="figure" data-value="${images / of}">${percent(images / of)}</td></tr>`,
  )}</tbody>
</table>
</section></details>`;
}

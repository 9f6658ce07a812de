import type { Run } from '../../core/run.ts';
import { dumbbell } from '../charts/dumbbell.ts';
import { enumerate, goalInWords, instant, normSymbol, radius, whole } from '../format.ts';
import { headlineEpsilon } from '../headline-epsilon.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, datasetTitle, titleParts, uncapitalised } from '../names.ts';
import { rankArchitectures } from '../ranking.ts';
import { type Slice, slicesOf } from '../slice.ts';
import { renderCertifiedHeader } from './certified-header.ts';
import { renderSentence } from './sentence.ts';

/** The page's head: what was found, what the adversary was allowed, and the picture of how far every network falls. */
export function renderHeader(run: Run): Html {
  const slices = slicesOf(run);
  const [first, ...others] = slices;
  if (first === undefined) return renderCertifiedHeader(run);
  return html`<header class="finding">
<h1>${renderSentence(run, first)}</h1>
${others.map((slice) => html`<p class="also">${renderSentence(run, slice)}</p>`)}
${facts(run, first)}
${warning(run)}
${slices.map((slice, i) => fallFigure(run, slice, i))}
</header>`;
}

const KNOWLEDGE = {
  none: ['nothing', 'blind perturbations'],
  decision: ['black box', 'sees the predicted class'],
  score: ['black box', 'sees the scores of all classes'],
  gradient: ['white box', 'sees the gradients'],
} as const;

function facts(run: Run, slice: Slice): Html {
  const { dataset, seed, started } = run.provenance;
  const { epsilon } = headlineEpsilon(slice);
  const images = Math.max(...slice.cells.map((cell) => cell.images));
  const accesses = new Set(run.attacks.map((attack) => attack.access));
  const access = (['gradient', 'score', 'decision', 'none'] as const).find((level) => accesses.has(level)) ?? 'none';
  const rows: readonly (readonly [term: string, value: string | Html, detail: string])[] = [
    [
      'Threat model',
      html`${normSymbol(slice.norm)}, ${together(`ε = ${radius(epsilon)}`)}`,
      slice.norm === 'spatial' ? 'of ±3 pixels in 28 and ±30°' : 'pixels in [0, 1]',
    ],
    ['Goal', goalInWords(slice.goal, run.classes), 'top-1 counts'],
    ['Adversary', ...KNOWLEDGE[access]],
    ['Data', `${whole(images)} images`, `${datasetTitle(slice.dataset)} ${dataset.split}, ${dataset.labels}`],
    run.sources === undefined
      ? ['Run', `seed ${seed}`, instant(started)]
      : ['Runs', html`<a href="#joined">${whole(run.sources.length)} joined</a>`, `seed ${seed}`],
  ];
  return html`<dl class="facts">${rows.map(
    ([term, value, detail]) => html`<div><dt>${term}</dt><dd>${value}<small>${detail}</small></dd></div>`,
  )}</dl>`;
}

function warning(run: Run): Html | undefined {
  const failed = run.checks.filter((check) => check.verdict === 'fail').length;
  const warned = run.checks.filter((check) => check.verdict === 'warn').length;
  if (failed + warned === 0) return undefined;
  const words = [failed > 0 && `${failed} failed`, warned > 0 && `${warned} with a warning`].filter(
    (word) => word !== false,
  );
  return html`<p class="flag"><a href="#checks">Sanity checks: ${enumerate(words)}.</a> Read these numbers with care.</p>`;
}

function fallFigure(run: Run, slice: Slice, index: number): Html | undefined {
  const { epsilon } = headlineEpsilon(slice);
  const standings = rankArchitectures(run, slice, epsilon).flatMap((ranked) => ranked.standings);
  const rows = standings
    .filter((standing) => standing !== undefined)
    .map(({ contender, clean, worst }) => {
      const { plain, defense } = titleParts(contender.training);
      const name = architectureTitle(run, contender.arch);
      return { name, detail: uncapitalised(plain), addition: defense, clean, attacked: worst };
    });
  if (rows.length === 0) return undefined;
  const where = `${normSymbol(slice.norm)}, ε = ${radius(epsilon)}`;
  const title = `Accuracy without attack and under the worst attack (${where})`;
  return html`<figure class="fall">
<div class="wide">${dumbbell({ id: `fall-${index}-wide`, title, rows, width: 1000 })}</div>
<div class="narrow">${dumbbell({ id: `fall-${index}-narrow`, title, rows, width: 358 })}</div>
<figcaption>How far each network falls: share of images classified correctly without attack (circle) and under the worst attack (diamond) at ${together(where)}, with 95&nbsp;% intervals. The numbers stand in the table below.</figcaption>
</figure>`;
}

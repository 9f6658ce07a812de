import type { Run } from '../../core/run.ts';
import { certifiedFinding, confidence, shownSigma } from '../certified.ts';
import { enumerate, instant, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { datasetTitle } from '../names.ts';
import { renderSegments } from './sentence.ts';

/** The page's head where nothing was attacked: what is certified, and against what. */
export function renderCertifiedHeader(run: Run): Html {
  const { certificates = [], provenance } = run;
  const [first] = certificates;
  if (first === undefined) return html``;
  const { dataset, seed, started } = provenance;
  const sigmas = [...new Set(certificates.map(({ sigma }) => shownSigma(sigma)))];
  const rows: readonly (readonly [term: string, value: string | Html, detail: string])[] = [
    ['Guarantee', 'L2, every perturbation', 'pixels may leave [0, 1]'],
    ['Method', 'randomized smoothing', `Gaussian noise, σ = ${enumerate(sigmas)}`],
    ['Confidence', together(confidence(first)), `an image, by ${whole(first.samples)} samples`],
    ['Data', `${whole(first.images)} images`, `${datasetTitle(dataset.name)} ${dataset.split}, ${dataset.labels}`],
    ['Run', `seed ${seed}`, instant(started)],
  ];
  return html`<header class="finding">
<h1>${renderSegments(certifiedFinding(run))}</h1>
<dl class="facts">${rows.map(
    ([term, value, detail]) => html`<div><dt>${term}</dt><dd>${value}<small>${detail}</small></dd></div>`,
  )}</dl>
</header>`;
}

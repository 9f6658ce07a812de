import type { Certificates, Run } from '../../core/run.ts';
import { bibtexOf } from '../bibtex.ts';
import { csvFiles } from '../csv.ts';
import { counted, duration, instant, whole } from '../format.ts';
import { type Content, type Html, html } from '../html.ts';
import { groupBy } from '../slice.ts';
import { defineSection } from './section.ts';

/** Everything needed to get these numbers again, and the data itself. */
export const provenance = defineSection({
  id: 'provenance',
  title: 'Provenance',
  render: (run) => html`<h3>Command</h3>
<pre class="command"><code>${run.command}</code></pre>
${downloads(run)}
<h3>Methods</h3>
${methods(run)}
<details><summary>The same as BibTeX</summary>
<pre><code>${bibtexOf(run)}</code></pre>
</details>
<h3>Conditions</h3>
${conditions(run)}
<details><summary>Weights, packages and resolved configuration</summary>
${definitions(Object.entries(run.provenance.weights).map(([name, hash]) => [`Weights of ${name}`, code(hash)]))}
${definitions(ownCode(run).map(([name, hash]) => [`File of ${name}`, code(hash)]))}
${definitions(Object.entries(run.provenance.packages).map(([name, version]) => [name, version]))}
<pre><code>${JSON.stringify(run.config, null, 2)}</code></pre>
</details>`,
});

/** The files lie beside the page; the script lets the page, sent alone, hand out the data that it carries. */
const downloads = (run: Run): Html =>
  html`<p class="downloads">Data: ${['run.json', ...Object.keys(csvFiles(run))].map((name) => html`<a href="${name}" download="${name}">${name}</a> `)}</p>`;

/** Attacks and defenses that a user brought, and the SHA-256 of the files that they came from. */
const ownCode = ({ attacks, defenses = [] }: Run): (readonly [name: string, sha256: string])[] =>
  [...attacks, ...defenses].flatMap(({ name, sha256 }) => (sha256 === undefined ? [] : [[name, sha256] as const]));

const code = (text: string): Html => html`<code>${text}</code>`;

const definitions = (rows: readonly (readonly [term: string, value: Content])[]): Html | undefined =>
  rows.length === 0
    ? undefined
    : html`<dl class="pairs">${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;

/** Cohen, Rosenfeld, Kolter, ICML 2019. */
const SMOOTHING = 'https://arxiv.org/abs/1902.02918';

function certification({ sigma, selectionSamples, samples, alpha }: Certificates): Html {
  const settings = `σ ${sigma}, ${whole(selectionSamples)} and ${whole(samples)} samples, α ${alpha}`;
  return html`<li><b>randomized smoothing</b> <a href="${SMOOTHING}">Certified adversarial robustness</a> <span class="aside-text">(${settings})</span></li>`;
}

function methods(run: Run): Html {
  const distinct = [...groupBy(run.certificates ?? [], ({ sigma }) => String(sigma)).values()];
  const settings = groupBy(run.cells, (cell) => cell.attack);
  return html`<ul class="methods">${run.attacks.map(({ name, title, paper }) => {
    const cells = settings.get(name) ?? [];
    const first = cells[0];
    const params =
      first === undefined ? [] : Object.entries(first.params).map(([key, value]) => `${key} ${shown(value)}`);
    const restarts = first !== undefined && first.restarts > 1 ? [`${first.restarts} restarts`] : [];
    const words = [...params, ...restarts].join(', ');
    const link = paper === undefined ? title : html`<a href="${paper}">${title}</a>`;
    return html`<li><b>${name}</b> ${link}${words !== '' && html` <span class="aside-text">(${words})</span>`}</li>`;
  })}${distinct.map(([entry]) => entry && certification(entry))}</ul>`;
}

/** A setting without a value follows from the others. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return 'auto';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function conditions({ provenance: from, cells, certificates = [] }: Run): Html {
  const gradients = cells.reduce((sum, cell) => sum + cell.gradients, 0);
  const forwards = [...cells, ...certificates].reduce((sum, one) => sum + one.forwards, 0);
  const unverified = cells.reduce((sum, cell) => sum + cell.unverified, 0);
  const phases = Object.entries(from.phases).map(([name, seconds]) => `${name} ${duration(seconds)}`);
  return html`${definitions([
    ['Started', instant(from.started)],
    ['Finished', instant(from.finished)],
    ['Phases', phases.join(', ')],
    ['Effort', `${whole(gradients)} gradients and ${whole(forwards)} forward passes of single images`],
    ...(cells.length === 0 ? [] : [['Verification', verification(unverified)] as const]),
    ['Success', from.iteratePolicy],
    ['Seed', String(from.seed)],
    [
      'Data',
      `${from.dataset.name} ${from.dataset.split}, ${from.dataset.labels}, ${counted(from.dataset.images, 'image')}`,
    ],
    ...(from.dataset.selection === undefined ? [] : [['Selection', from.dataset.selection] as const]),
    ...(from.fitRule === undefined ? [] : [['Fitted', from.fitRule] as const]),
    ...(from.dataset.skipped === undefined ? [] : [['Left out', leftOut(from.dataset.skipped)] as const]),
    ['SHA-256 of the data', code(from.dataset.sha256)],
    ['Gibbon', from.commit === null ? from.gibbon : html`${from.gibbon}, commit ${code(from.commit)}`],
    ['Node.js', from.node],
    ['Backend', backend(from)],
    ['Machine', `${from.cpu}, ${counted(from.cores, 'core')}, ${from.platform}`],
  ])}`;
}

/** What computed, on what, and how it was found to compute the right thing. */
function backend({ backend: name, device, backendDifference: difference }: Run['provenance']): string {
  const agreement =
    difference === undefined
      ? []
      : [
          `the gradient of a small network differs from the reference's by ${relative(difference)} of its largest entry`,
        ];
  return [device === undefined ? name : `${name} on ${device}`, ...agreement].join('; ');
}

const relative = (difference: number): string => (difference === 0 ? '0' : difference.toExponential(1));

/** More are in run.json. */
const NAMED_FILES = 20;

function leftOut(skipped: NonNullable<Run['provenance']['dataset']['skipped']>): Html {
  const more = skipped.length - NAMED_FILES;
  return html`${counted(skipped.length, 'file')} that gave no image: ${skipped
    .slice(0, NAMED_FILES)
    .map(
      ({ id, why }, i) => html`${i > 0 && '; '}${code(id)} (${why})`,
    )}${more > 0 && `; and ${whole(more)} more, in run.json`}`;
}

const verification = (unverified: number): string =>
  unverified === 0
    ? 'every claim of an attack was confirmed by a separate forward pass'
    : `${whole(unverified)} claims of attacks were not confirmed by the separate forward pass and do not count`;

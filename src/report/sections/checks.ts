import type { Check, Run } from '../../core/run.ts';
import { significant } from '../format.ts';
import { type Html, html } from '../html.ts';
import { defineSection } from './section.ts';

const ORDER: readonly Check['verdict'][] = ['fail', 'warn', 'pass', 'not-run'];

/** Whether the numbers above can be believed: the run's own sanity checks, the worst first. */
export const checks = defineSection({
  id: 'checks',
  title: 'Sanity checks',
  render: (run) => (run.checks.length === 0 ? undefined : checksTable(run)),
});

function checksTable(run: Run): Html {
  const rows = run.checks.toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  return html`<section class="scroll" tabindex="0" aria-labelledby="checks-caption">
<table class="plain checks">
<caption id="checks-caption"><span>Signs of a broken attack or of a defense that only hides its gradient.</span></caption>
<thead><tr><th scope="col">Verdict</th><th scope="col">Check</th><th scope="col" class="figure">Value</th><th scope="col" class="figure">Threshold</th><th scope="col">Why</th></tr></thead>
<tbody>${rows.map(row)}</tbody>
</table>
</section>`;
}

const VERDICTS: Readonly<Record<Check['verdict'], string>> = {
  fail: '✕ fail',
  warn: '! warn',
  pass: '✓ pass',
  'not-run': '– not run',
};

const row = ({ name, verdict, value, threshold, why, link }: Check): Html =>
  html`<tr><td class="verdict ${verdict}">${VERDICTS[verdict]}</td><th scope="row">${name}</th><td class="figure">${numberOrDash(value)}</td><td class="figure">${numberOrDash(threshold)}</td><td class="prose">${why}${link !== undefined && html` <a href="${link}">source</a>`}</td></tr>`;

const numberOrDash = (value: number | null): string => (value === null ? '–' : significant(value, 4));

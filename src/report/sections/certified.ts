import type { Certificates, Run } from '../../core/run.ts';
import { abstention, certifiedAt, certifiedDistances, confidence, shownSigma, statedRadii } from '../certified.ts';
import { certifiedPanel } from '../charts/certified-panel.ts';
import { lineSample } from '../charts/line-sample.ts';
import { dash } from '../dash.ts';
import { survival } from '../distance-spread.ts';
import { duration, enumerate, interval, percent, significant, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained } from '../names.ts';
import { lineStyle } from '../palette.ts';
import { groupBy } from '../slice.ts';
import { defineSection } from './section.ts';

/** What randomized smoothing certifies: accuracy that no L2 perturbation can take away, against its radius. */
export const certified = defineSection({
  id: 'certified',
  title: 'Certified accuracy',
  render: (run) =>
    run.certificates && html`${curves(run, run.certificates)}${table(run, run.certificates)}${note(run.certificates)}`,
});

/** Columns of a curve: finer than a screen shows would be bytes for nothing. */
const RESOLUTION = 320;

const labelOf = ({ sigma }: Certificates): string => `σ = ${shownSigma(sigma)}`;

function curves(run: Run, entries: readonly Certificates[]): Html {
  const largest = Math.max(...entries.flatMap(certifiedDistances)) || 1;
  const labels = [...new Set(entries.map(labelOf))];
  const panels = [...groupBy(entries, ({ arch, training }) => JSON.stringify([arch, training])).values()].map(
    (group, i) => {
      const [network = group[0]] = group;
      const name = architectureTitle(run, network?.arch ?? '');
      const how = howTrained(network?.training ?? '');
      const chart = certifiedPanel({
        ...{ id: `certified-${i}`, title: `Certified accuracy of ${name}, ${how}, against the radius`, largest },
        names: labels,
        series: group.map((entry) => ({
          ...{ label: labelOf(entry), style: lineStyle(labels.indexOf(labelOf(entry))) },
          steps: survival({ values: [...certifiedDistances(entry)] }, largest, RESOLUTION),
        })),
      });
      return html`<div class="panel"><p class="panel-title"><b>${name}</b> ${how}</p>${chart}</div>`;
    },
  );
  return html`<figure class="certified">
<ul class="legend">${labels.map((label, i) => html`<li>${lineSample(lineStyle(i))}<b>${together(label)}</b></li>`)}</ul>
<div class="panels">${panels}</div>
<figcaption>Share of images whose class is right and cannot be changed by any L2 perturbation shorter than r. It bounds the accuracy under every attack from below. Where a curve drops to nothing at its end, the number of samples is spent: so many can show no larger radius.</figcaption>
</figure>`;
}

function table(run: Run, entries: readonly Certificates[]): Html {
  const radii = statedRadii(entries);
  return html`<section class="scroll" tabindex="0" aria-labelledby="certified-caption">
<table class="plain certified">
<caption id="certified-caption"><span>Certified accuracy by L2 radius, with 95&nbsp;% intervals for the choice of images; how many images no class is certified for; and the radius averaged over all images.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col" class="figure">σ</th>${radii.map(
    (radius) => html`<th scope="col" class="figure">${together(`r = ${significant(radius, 4)}`)}</th>`,
  )}<th scope="col" class="figure">Abstains</th><th scope="col" class="figure">Average r</th></tr></thead>
<tbody>${entries.map((entry) => row(run, entry, radii))}</tbody>
</table>
</section>`;
}

function row(run: Run, entry: Certificates, radii: readonly number[]): Html {
  return html`<tr><th scope="row">${architectureTitle(run, entry.arch)}</th><td>${entry.training}</td><td class="figure">${shownSigma(entry.sigma)}</td>${radii.map(
    (radius) => {
      const measured = certifiedAt(entry, radius);
      if (measured === undefined)
        return html`<td class="figure absent">${dash('more than so many samples can show')}</td>`;
      return html`<td class="figure">${percent(measured.share)}<small>${interval(measured.interval)}</small></td>`;
    },
  )}<td class="figure">${abstention(entry)}</td><td class="figure">${significant(entry.averageRadius, 3)}</td></tr>`;
}

function note(entries: readonly Certificates[]): Html {
  const [first] = entries;
  if (first === undefined) return html``;
  const { images, samples, selectionSamples, alpha } = first;
  const seconds = entries.reduce((sum, entry) => sum + entry.seconds, 0);
  const forwards = entries.reduce((sum, entry) => sum + entry.forwards, 0);
  const counts = entries.map(({ abstained }) => whole(abstained));
  return html`<p class="note">The smoothed classifier takes an image for the class that the network is likeliest to take its noisy copies for. ${whole(selectionSamples)} copies choose the class; of ${whole(samples)} others those that agree give a lower bound of its probability (Clopper and Pearson), and that the radius ${together('σ·Φ⁻¹(p)')}. Each radius holds with ${confidence(first)} confidence: of ${whole(images)} images, ${significant(alpha * images, 2)} at most are expected to have one that is too large. Abstained: ${enumerate(counts)} of ${whole(images)}; images that abstain or are misclassified count as not certified at any radius. ${whole(forwards)} forward passes in ${duration(seconds)}.</p>`;
}

import type { Run, Training } from '../../core/run.ts';
import { type TrainingRecord, wasAdversarial } from '../../core/training-record.ts';
import { lineSample } from '../charts/line-sample.ts';
import { TRAINING_LINES, trainingPanel } from '../charts/training-panel.ts';
import { dash } from '../dash.ts';
import { counted, normSymbol, percent, radius, significant, whole } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import { architectureTitle, howTrained } from '../names.ts';
import { keptInWords, stoppedInWords } from '../training-words.ts';
import { defineSection } from './section.ts';

/** How the networks were trained, as far as their checkpoints tell: what against, what became of it, and the curves. */
export const training = defineSection({
  id: 'training',
  title: 'Training curves',
  render: (run) => {
    const told = (run.trainings ?? []).filter(({ record }) => record.history.length > 0);
    return told.length === 0 ? undefined : html`${summary(run, told)}${curves(run, told)}${numbers(run, told)}`;
  },
});

function summary(run: Run, trainings: readonly Training[]): Html {
  return html`<section class="scroll" tabindex="0" aria-labelledby="training-caption">
<table class="plain trainings">
<caption id="training-caption"><span>What the checkpoints say of how they were made. Accuracies are on held-out training images, clean and ${gauges(trainings)}: a gauge, not an evaluation.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col">Against</th><th scope="col" class="figure">Epochs</th><th scope="col">Saved</th><th scope="col" class="figure">Clean</th><th scope="col" class="figure">Attacked</th></tr></thead>
<tbody>${trainings.map((one) => summaryRow(run, one))}</tbody>
</table>
</section>`;
}

function summaryRow(run: Run, { arch, training: how, record }: Training): Html {
  const { norm, epsilon, history, epochs, kept } = record;
  const ball = wasAdversarial(record) ? together(`${normSymbol(norm)} ε = ${radius(epsilon)}`) : dash('no adversary');
  const details = defenseInWords(record);
  const { validation } = keptEpoch(record) ?? { validation: null };
  const shares = validation === null ? [null, null] : [validation.clean, validation.robust];
  const averaged = record.ema === undefined ? '' : `, weights averaged with decay ${record.ema}`;
  return html`<tr><th scope="row">${architectureTitle(run, arch)}</th><td>${how}${details !== how && html`<br><small>${details}</small>`}</td><td>${ball}</td><td class="figure">${history.length === epochs ? whole(epochs) : `${whole(history.length)} of ${whole(epochs)}`}</td><td>${keptInWords(kept)}${averaged}</td>${shares.map(
    (share) => html`<td class="figure">${share === null ? '–' : percent(share)}</td>`,
  )}</tr>`;
}

/** By what held-out images were attacked, as far as checkpoints say the same: `as pgd (steps 10) leaves them`. */
function gauges(trainings: readonly Training[]): string {
  const watched = trainings.filter(({ record }) => record.history.some(({ validation }) => validation !== null));
  const told = new Set(
    watched.map(({ record: { validation } }) => validation && named(validation.attack, validation.params, ' (', ')')),
  );
  const [only, ...others] = told;
  return only === undefined || others.length > 0 ? 'under a small attack' : `as ${only} leaves them`;
}

/** The epoch at whose end the network was what was saved; undefined if it was saved in the course of one. */
const keptEpoch = ({ history, kept }: TrainingRecord): TrainingRecord['history'][number] | undefined =>
  history.find(({ epoch, batches }) => epoch === kept.epoch && batches === kept.batch);

/** `pgd-training: attack pgd, steps 5, step auto` */
const defenseInWords = ({ defense: { name, params } }: TrainingRecord): string => named(name, params, ': ');

function named(name: string, params: Readonly<Record<string, unknown>>, before: string, after = ''): string {
  const words = Object.entries(params).map(([key, value]) => `${key} ${value === null ? 'auto' : valueInWords(value)}`);
  return words.length === 0 ? name : name + before + words.join(', ') + after;
}

const valueInWords = (value: unknown): string => {
  if (typeof value === 'number') return significant(value, 4);
  return typeof value === 'string' ? value : JSON.stringify(value);
};

function curves(run: Run, trainings: readonly Training[]): Html {
  const hasChecks = trainings.some(({ record }) => record.history.some(({ checks = [] }) => checks.length > 0));
  const { clean, robust, seen, oneStep } = TRAINING_LINES;
  return html`<figure class="training">
<ul class="legend"><li>${lineSample(clean)}<b>clean</b> <span>held-out images</span></li><li>${lineSample(robust)}<b>attacked</b> <span>held-out images</span></li><li>${lineSample(seen)}<b>in training</b> <span>as the loss saw them</span></li>${
    hasChecks &&
    html`<li>${lineSample(oneStep, { isMarked: false })}<b>guard</b> <span>one gradient step</span></li><li>${lineSample({ ...robust, dash: '6 3' }, { isMarked: false })}<b>guard</b> <span>several</span></li>`
  }</ul>
<div class="panels">${trainings.map((one, i) => panel(run, one, i))}</div>
<figcaption>${endings(run, trainings)} Above the accuracies, below the mean loss of every epoch. The upright lines stand where the network was as it was saved, and where the training was ended before its last epoch.${seenBy(trainings)}${averages(trainings)}</figcaption>
</figure>`;
}

function panel(run: Run, { arch, training: how, record }: Training, index: number): Html {
  const name = architectureTitle(run, arch);
  const words = howTrained(how);
  const chart = trainingPanel({ id: `training-${index}`, title: `Training of ${name}, ${words}`, record });
  return html`<div class="panel"><p class="panel-title"><b>${name}</b> ${words}</p>${chart}</div>`;
}

/** TRADES lets the network answer to clean images, where other trainings show it attacked ones. */
const seenBy = (trainings: readonly Training[]): string =>
  trainings.some(({ record }) => record.defense.name === 'trades')
    ? ' In training TRADES counts on the clean images, and not, as others do, on the attacked ones.'
    : '';

/** What the lines are of, where it is not one and the same network. */
function averages(trainings: readonly Training[]): string {
  if (trainings.every(({ record }) => record.ema === undefined)) return '';
  return ' Where weights are averaged, held-out images were shown to the average; the guard and the loss saw the weights themselves.';
}

/** Of those that did not go on to their last epoch. */
const endings = (run: Run, trainings: readonly Training[]): readonly Html[] =>
  trainings.flatMap(({ arch, training: how, record: { stopped, kept } }) =>
    stopped === undefined
      ? []
      : html`<b>${architectureTitle(run, arch)} (${how})</b> was ended in epoch ${stopped.epoch}: ${stoppedInWords(stopped)}. Saved is ${keptInWords(kept)}. `,
  );

/** Every epoch as numbers. */
function numbers(run: Run, trainings: readonly Training[]): Html {
  const rows = trainings.flatMap((one) => one.record.history.map((epoch) => ({ ...one, epoch })));
  const shareCell = (share: number | undefined): Html =>
    share === undefined
      ? html`<td class="figure absent" data-value="-1">${dash('not measured')}</td>`
      : html`<td class="figure" data-value="${share}">${percent(share)}</td>`;
  const numberCell = (value: number): Html =>
    html`<td class="figure" data-value="${value}">${significant(value, 4)}</td>`;
  return html`<details><summary>The numbers (${counted(rows.length, 'epoch')})</summary>
<section class="scroll" tabindex="0" aria-labelledby="training-numbers">
<table class="plain sortable">
<caption id="training-numbers"><span>Every epoch: the mean loss, the share of images classified correctly in training and on held-out images, and the learning rate of its last batch.</span></caption>
<thead><tr><th scope="col">Architecture</th><th scope="col">Training</th><th scope="col" class="figure">Epoch</th><th scope="col" class="figure">Loss</th><th scope="col" class="figure">In training</th><th scope="col" class="figure">Clean</th><th scope="col" class="figure">Attacked</th><th scope="col" class="figure">Rate</th></tr></thead>
<tbody>${rows.map(
    ({ arch, training: how, epoch }) =>
      html`<tr><th scope="row">${architectureTitle(run, arch)}</th><td>${how}</td>${[
        html`<td class="figure" data-value="${epoch.epoch}">${whole(epoch.epoch)}</td>`,
        numberCell(epoch.loss),
        shareCell(epoch.accuracy),
        shareCell(epoch.validation?.clean),
        shareCell(epoch.validation?.robust),
        numberCell(epoch.rate),
      ]}</tr>`,
  )}</tbody>
</table>
</section></details>`;
}

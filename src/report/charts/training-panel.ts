import type { TrainedEpoch, TrainingRecord } from '../../core/training-record.ts';
import { percent, significant } from '../format.ts';
import type { Html } from '../html.ts';
import { ATTACKED, BASELINE, INK, type LineStyle, lineStyle } from '../palette.ts';
import type { Pen, Point } from '../svg.ts';
import {
  drawAxisTitle,
  ink,
  LABEL,
  LABEL_GAP,
  type LineEnd,
  muted,
  PLOT_HEIGHT,
  rule,
  SMALL,
  sharePanel,
  yOf,
} from './share-panel.ts';
import { roundRadii } from './staircase.ts';

export interface TrainingPanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly record: TrainingRecord;
}

/** The lines of a panel. */
export const TRAINING_LINES = {
  clean: { ink: INK, dash: '', marker: 'circle', name: 'ink' },
  robust: { ink: ATTACKED, dash: '', marker: 'diamond', name: 'attacked' },
  seen: BASELINE,
  oneStep: { ...lineStyle(0), dash: '6 3' },
} as const satisfies Readonly<Record<string, LineStyle>>;

const NAMES = { clean: 'clean', robust: 'attacked', seen: 'in training', loss: 'loss' } as const;

/** The plot of the loss: how far under the other, and how high. */
const LOSS_TOP = PLOT_HEIGHT + 20;
const LOSS_HEIGHT = 62;
const BELOW = LOSS_TOP + LOSS_HEIGHT - PLOT_HEIGHT;
/** Of more epochs the markers would hide the line. */
const MOST_MARKERS = 20;
const MOST_EPOCHS_LABELLED = 9;

/** Accuracies on held-out images and in training, epoch by epoch, and under them the loss: what is saved, and what ended it. */
export function trainingPanel({ id, title, record }: TrainingPanel): Html {
  return sharePanel({
    words: { id, title, description: describe(record) },
    names: Object.values(NAMES),
    below: BELOW,
    draw: (pen, width) => {
      const last = axisEnd(record);
      const at = (epochs: number): number => (epochs / last) * width;
      drawEpochs(pen, last, at, width);
      drawMarks(pen, record, at);
      drawChecks(pen, record, at);
      const ends = drawAccuracies(pen, record, at);
      drawLoss(pen.group(0, LOSS_TOP), record, at, width);
      return ends;
    },
  });
}

type At = (epochs: number) => number;

/** How many epochs were done after so many batches of one. */
const place = ({ batches }: TrainingRecord, epoch: number, batch: number): number =>
  epoch - 1 + Math.min(1, batch / batches);

const endOf = (record: TrainingRecord, { epoch, batches }: TrainedEpoch): number => place(record, epoch, batches);

/** Epochs that the axis has: those done, and after a collapse something of what was to come. */
function axisEnd(record: TrainingRecord): number {
  const last = record.history.at(-1);
  const done = last === undefined ? 1 : endOf(record, last);
  const isWhole = record.stopped === undefined || record.stopped.why === 'patience';
  return isWhole ? done : Math.max(done, Math.min(record.epochs, Math.ceil(2 * done)));
}

/** Whole epochs, as many as have room for their numbers. */
function drawEpochs(pen: Pen, last: number, at: At, width: number): void {
  const base = LOSS_TOP + LOSS_HEIGHT;
  pen.line([0, PLOT_HEIGHT], [width, PLOT_HEIGHT], { ...ink, width: 1 });
  pen.line([0, base], [width, base], { ...ink, width: 1 });
  for (const epoch of epochTicks(last)) {
    pen.line([at(epoch), base], [at(epoch), base + 4], { ...ink, width: 1 });
    pen.text([at(epoch), base + 18], String(epoch), { size: SMALL, anchor: 'middle', colour: ink });
  }
  drawAxisTitle(pen, width, 'epochs done', BELOW);
}

/** Multiples of 1, 2 or 5 times a power of ten, from 0 to at most `last`, which may be less than 1. */
export function epochTicks(last: number): readonly number[] {
  const sizes = Array.from({ length: 16 }, (_, i) => ([1, 2, 5][i % 3] ?? 1) * 10 ** Math.floor(i / 3));
  const step = sizes.find((size) => last / size < MOST_EPOCHS_LABELLED) ?? last;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
}

/** Upright lines at the state that was saved, and where the training was ended. */
function drawMarks(pen: Pen, record: TrainingRecord, at: At): void {
  const { kept, stopped } = record;
  const top = -11;
  const mark = (epochs: number, words: string, anchor: 'start' | 'middle' | 'end', colour: typeof ink): void => {
    const x = at(epochs);
    pen.line([x, -6], [x, LOSS_TOP + LOSS_HEIGHT], { ...colour, width: 1, opacity: 0.6 });
    const aside = { start: -1, middle: 0, end: 1 }[anchor];
    pen.text([x + aside, top], words, { size: 11, anchor, colour });
  };
  mark(place(record, kept.epoch, kept.batch), 'saved', stopped === undefined ? 'middle' : 'end', muted);
  if (stopped === undefined) return;
  const isCollapse = stopped.why !== 'patience';
  const colour = isCollapse ? TRAINING_LINES.robust : muted;
  mark(place(record, stopped.epoch, stopped.batch), isCollapse ? 'collapse' : 'ended', 'start', colour);
}

/** What the guard saw: thin lines, for its images are few. */
function drawChecks(pen: Pen, record: TrainingRecord, at: At): void {
  const checks = record.history.flatMap(({ epoch, checks: seen = [] }) =>
    seen.map((check) => ({ ...check, x: at(place(record, epoch, check.batch)) })),
  );
  const line = (key: 'oneStep' | 'manySteps', style: LineStyle): void => {
    const points = checks.map((check): Point => [check.x, yOf(check[key])]);
    pen.polyline(points, { ...style, width: 1.25, dash: style.dash, opacity: 0.75 });
    const [only] = points;
    if (points.length === 1 && only !== undefined) pen.marker(only, 'cross', style, { size: 2.4 });
  };
  line('oneStep', TRAINING_LINES.oneStep);
  line('manySteps', { ...TRAINING_LINES.robust, dash: '6 3' });
}

function drawAccuracies(pen: Pen, record: TrainingRecord, at: At): readonly LineEnd[] {
  const { history } = record;
  const validated = history.flatMap(({ validation, ...epoch }) =>
    validation === null ? [] : [{ x: at(place(record, epoch.epoch, epoch.batches)), ...validation }],
  );
  const seen = history.map((epoch): Point => [at(endOf(record, epoch)), yOf(epoch.accuracy)]);
  return [
    drawLine(pen, seen, TRAINING_LINES.seen, NAMES.seen, 1.5),
    drawLine(
      pen,
      validated.map(({ x, clean }): Point => [x, yOf(clean)]),
      TRAINING_LINES.clean,
      NAMES.clean,
      2,
    ),
    drawLine(
      pen,
      validated.map(({ x, robust }): Point => [x, yOf(robust)]),
      TRAINING_LINES.robust,
      NAMES.robust,
      2,
    ),
  ].flat();
}

/** @returns where it ends, with its name */
function drawLine(pen: Pen, points: readonly Point[], style: LineStyle, label: string, width: number): LineEnd[] {
  pen.polyline(points, { ...style, width, dash: style.dash });
  if (points.length <= MOST_MARKERS) for (const point of points) pen.marker(point, style.marker, style, { size: 3 });
  const last = points.at(-1);
  // Where a training was ended the axis goes on, and no name should stand on it.
  return last === undefined ? [] : [{ label, style, x: last[0], y: Math.min(last[1], PLOT_HEIGHT - 9) }];
}

/** The mean loss of every epoch, from 0 up. */
function drawLoss(pen: Pen, record: TrainingRecord, at: At, width: number): void {
  const { history } = record;
  const losses = history.map(({ loss }) => loss);
  const [least, most] = [Math.min(0, ...losses), Math.max(...losses)];
  const span = most > least ? most - least : 1;
  const y = (loss: number): number => (1 - (loss - least) / span) * LOSS_HEIGHT;
  for (const loss of lossTicks(least, span)) {
    pen.line([0, y(loss)], [width, y(loss)], { ...rule, width: 1 });
    pen.text([-10, y(loss) + 4], significant(loss, 2), { size: SMALL, anchor: 'end', colour: muted, room: 38 });
  }
  const points = history.map((epoch): Point => [at(endOf(record, epoch)), y(epoch.loss)]);
  drawLine(pen, points, TRAINING_LINES.clean, NAMES.loss, 1.5);
  const last = points.at(-1);
  if (last === undefined) return;
  const height = Math.min(last[1] + 4, LOSS_HEIGHT - 2);
  pen.text([last[0] + LABEL_GAP, height], NAMES.loss, { ...LABEL, colour: TRAINING_LINES.clean });
}

/** The least of them, and a round one near the upper end. */
function lossTicks(least: number, span: number): readonly number[] {
  const highest = roundRadii(span).findLast((size) => size > span / 2);
  return highest === undefined ? [least] : [least, least + highest];
}

function describe(record: TrainingRecord): string {
  const { history, kept } = record;
  const last = history.at(-1);
  const epochs = `${history.length} of ${record.epochs} epochs`;
  if (last === undefined) return epochs;
  const validated = history.find(({ epoch }) => epoch === kept.epoch)?.validation ?? null;
  const watched =
    validated === null
      ? ''
      : `, ${percent(validated.clean)} clean and ${percent(validated.robust)} attacked at its end`;
  return `${epochs}, the loss in the last of them ${significant(last.loss, 3)}. Saved as of epoch ${kept.epoch}${watched}.`;
}

import type { Trace } from '../../core/run.ts';
import { percent, signed, whole } from '../format.ts';
import type { Html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import type { Pen, Point } from '../svg.ts';
import { ink, muted, PLOT_HEIGHT, rule, SMALL, sharePanel, yOf } from './share-panel.ts';
import { roundRadii } from './staircase.ts';
import { drawSteps, type StepScale, stepScale } from './step-scale.ts';

export interface CourseSeries {
  readonly label: string;
  readonly style: LineStyle;
  readonly trace: Trace;
}

export interface CoursePanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly series: readonly CourseSeries[];
  /** The names of all lines of the figure, and how many steps each of its attacks takes: panels share their axis. */
  readonly names: readonly string[];
  readonly lengths: readonly number[];
}

/** The plot of the loss: how far under the other, and how high. */
const LOSS_TOP = PLOT_HEIGHT + 30;
const LOSS_HEIGHT = 110;
const BELOW = LOSS_TOP + LOSS_HEIGHT - PLOT_HEIGHT;

/** The share of images fooled so far by the number of steps, and under it the loss: its median and the band of eight in ten. */
export function coursePanel({ id, title, series, names, lengths }: CoursePanel): Html {
  return sharePanel({
    words: { id, title, description: describe(series) },
    names,
    below: BELOW,
    draw: (pen, width) => {
      const scale = stepScale(lengths, width);
      drawSteps(pen, scale, width, BELOW);
      pen.line([0, PLOT_HEIGHT], [width, PLOT_HEIGHT], { ...ink, width: 1 });
      pen.text([0, -10], 'images fooled so far', { size: 11, colour: muted });
      const ends = series.map(({ label, style, trace: { steps, fooled, images } }) => {
        const y = drawCurve(
          pen,
          fooled.map((of) => yOf(of / images)),
          steps,
          style,
          scale,
          width,
        );
        return { label, style, x: width, y };
      });
      drawLosses(pen.group(0, LOSS_TOP), series, scale, width);
      return ends;
    },
  });
}

/** A curve over steps, its end marked; beyond it a thin line leads to its name at the right edge, at the height returned. */
function drawCurve(
  pen: Pen,
  heights: readonly number[],
  steps: readonly number[],
  style: LineStyle,
  { at }: StepScale,
  width: number,
): number {
  const points = heights.map((y, i): Point => [at(steps[i] ?? 0), y]);
  const end = points.at(-1) ?? [0, PLOT_HEIGHT];
  if (end[0] < width - 1) pen.line(end, [width, end[1]], { ...style, width: 1, dash: '1 3', opacity: 0.7 });
  pen.polyline(points, { ...style, width: 2, dash: style.dash });
  pen.marker(end, style.marker, style, { size: 3.4 });
  return end[1];
}

function drawLosses(pen: Pen, series: readonly CourseSeries[], scale: StepScale, width: number): void {
  const known = series.flatMap(({ style, trace: { steps, loss } }) =>
    loss === undefined ? [] : [{ style, steps, loss }],
  );
  if (known.length === 0) {
    pen.text([width / 2, LOSS_HEIGHT / 2], 'no loss was noted', { size: SMALL, anchor: 'middle', colour: muted });
    return;
  }
  const all = known.flatMap(({ loss: { low, high } }) => [...low, ...high].flatMap((value) => value ?? []));
  const [least, most] = [Math.min(0, ...all), Math.max(0, ...all)];
  const span = most > least ? most - least : 1;
  const y = (loss: number): number => (1 - (loss - least) / span) * LOSS_HEIGHT;
  for (const loss of lossTicks(least, most)) {
    pen.line([0, y(loss)], [width, y(loss)], { ...rule, width: 1 });
    pen.text([-10, y(loss) + 4], signed(loss, 2), { size: SMALL, anchor: 'end', colour: muted, room: 40 });
  }
  // The decision boundary: who is above has fallen.
  pen.line([0, y(0)], [width, y(0)], { ...ink, width: 1, dash: '5 4' });
  pen.text([0, -10], 'loss: median, and the band of eight images in ten', { size: 11, colour: muted });
  for (const { style, steps, loss } of known) {
    const edge = (of: readonly (number | null)[]): Point[] =>
      of.flatMap((value, i): Point[] => (value === null ? [] : [[scale.at(steps[i] ?? 0), y(value)]]));
    pen.area([...edge(loss.high), ...edge(loss.low).toReversed()], style, 0.16);
  }
  for (const { style, steps, loss } of known) {
    const there = loss.median.flatMap((value, i) =>
      value === null ? [] : [{ height: y(value), step: steps[i] ?? 0 }],
    );
    if (there.length === 0) continue;
    drawCurve(
      pen,
      there.map(({ height }) => height),
      there.map(({ step }) => step),
      style,
      scale,
      width,
    );
  }
}

/** Round numbers from the least to the most, 0 among them, few enough for the height. */
function lossTicks(least: number, most: number): readonly number[] {
  const larger = Math.max(-least, most);
  const sizes = roundRadii(larger > 0 ? larger : 1);
  const step = (sizes[1] ?? 1) * (sizes.length > 4 ? 2 : 1);
  const from = Math.ceil(least / step - 1e-9);
  return Array.from({ length: Math.floor(most / step + 1e-9) - from + 1 }, (_, i) => (from + i) * step);
}

function describe(series: readonly CourseSeries[]): string {
  const lines = series.map(({ label, trace: { steps, fooled, images, loss } }) => {
    const [first, last] = [fooled[0] ?? 0, fooled.at(-1) ?? 0];
    const half = steps[fooled.findIndex((of) => of - first >= (last - first) / 2)] ?? 0;
    const within =
      last > first ? `, half of what it fools within ${whole(half)} of ${whole(steps.at(-1) ?? 0)} steps` : '';
    const [begin, end] = [loss?.median[0] ?? null, loss?.median.at(-1) ?? null];
    const losses =
      begin === null || end === null ? '' : `; the median loss goes from ${signed(begin, 3)} to ${signed(end, 3)}`;
    return `${label} fools ${percent(last / images)} of the images${within}${losses}`;
  });
  return `${lines.join('. ')}.`;
}

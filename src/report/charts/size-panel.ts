import { QUANTILES } from '../../core/run/perturbations.ts';
import type { Perturbations } from '../../core/run.ts';
import { percent, radius, significant } from '../format.ts';
import type { Html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import { quantileAt } from '../quantile-at.ts';
import type { Pen, Point } from '../svg.ts';
import {
  drawAxisTitle,
  drawName,
  ink,
  LABEL_GAP,
  muted,
  PLOT_HEIGHT,
  rule,
  SMALL,
  sharePanel,
  yOf,
} from './share-panel.ts';
import { drawDistances } from './staircase.ts';

export interface SizeSeries {
  readonly label: string;
  readonly style: LineStyle;
  readonly sizes: Perturbations;
}

export interface SizePanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  /** The L2 norm at which the axis ends, above 0: panels share it. */
  readonly largest: number;
  readonly series: readonly SizeSeries[];
  /** The names of all lines of the figure. */
  readonly names: readonly string[];
}

/** The plot of the shares at the radius: how far under the other, and how high a row of it is. */
const ROWS_TOP = PLOT_HEIGHT + 76;
const ROW = 17;

const at = (quantiles: readonly number[], share: number): number => quantileAt(quantiles, share) ?? 0;

/**
 * How many images have a perturbation of at most some size in L2, a rising line per attack; and where it is known, a row per
 * attack that says what share of the values it moves by the whole radius.
 */
export function sizePanel({ id, title, largest, series, names }: SizePanel): Html {
  const rows = series.filter(({ sizes }) => sizes.atBound !== undefined);
  const below = rows.length === 0 ? 0 : ROWS_TOP - PLOT_HEIGHT + rows.length * ROW;
  return sharePanel({
    words: { id, title, description: describe(series) },
    names,
    below,
    draw: (pen, width) => {
      pen.text([0, -10], 'images with a perturbation no larger', { size: 11, colour: muted });
      drawDistances(pen, { largest, title: 'L2 norm of the perturbation', width });
      const x = (size: number): number => (size / largest) * width;
      for (const { norm, epsilon } of new Map(series.map(({ sizes }) => [sizes.epsilon, sizes])).values())
        if (norm === 'L2' && epsilon <= largest) drawRadius(pen, x(epsilon), epsilon);
      for (const { style, sizes } of series) {
        const rising = sizes.l2.map((size, i): Point => [x(size), yOf(QUANTILES[i] ?? 0)]);
        pen.polyline(rising, { ...style, width: 2, dash: style.dash });
        pen.marker([x(at(sizes.l2, 0.5)), yOf(0.5)], style.marker, style, { size: 4.2 });
      }
      if (rows.length > 0) drawRows(pen.group(0, ROWS_TOP), rows, { width, below, names });
      return [];
    },
  });
}

function drawRadius(pen: Pen, x: number, epsilon: number): void {
  pen.line([x, 0], [x, PLOT_HEIGHT], { ...muted, width: 1, opacity: 0.55 });
  pen.text([x - 4, PLOT_HEIGHT - 6], `ε = ${radius(epsilon)}`, { size: 11, anchor: 'end', colour: muted });
}

interface Place {
  readonly width: number;
  /** How far the panel goes on under its upper plot. */
  readonly below: number;
  readonly names: readonly string[];
}

/** From one image in ten to nine in ten a thin line, from a quarter to three quarters a thick one, a marker at the median. */
function drawRows(pen: Pen, rows: readonly SizeSeries[], { width, below, names }: Place): void {
  const bottom = rows.length * ROW;
  pen.text([0, -9], 'values moved by the whole radius', { size: 11, colour: muted });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    pen.line([share * width, 0], [share * width, bottom], { ...rule, width: 1 });
    const label = share === 1 ? '100 %' : String(100 * share);
    pen.text([share * width, bottom + 18], label, { size: SMALL, anchor: 'middle', colour: ink });
  }
  pen.line([0, bottom], [width, bottom], { ...ink, width: 1 });
  for (const [
    i,
    {
      label,
      style,
      sizes: { atBound = [] },
    },
  ] of rows.entries()) {
    const y = (i + 0.5) * ROW;
    const x = (share: number): number => at(atBound, share) * width;
    pen.line([x(0.1), y], [x(0.9), y], { ...style, dash: '', width: 1.5 });
    pen.line([x(0.25), y], [x(0.75), y], { ...style, dash: '', width: 5, opacity: 0.55 });
    pen.marker([x(0.5), y], style.marker, style, { size: 3.6 });
    drawName(pen, [width + LABEL_GAP, y + 4], { label, style }, names);
  }
  drawAxisTitle(pen.group(0, -ROWS_TOP), width, 'share of the values of an image', below);
}

function describe(series: readonly SizeSeries[]): string {
  const lines = series.map(({ label, sizes: { l2, atBound } }) => {
    const bound = atBound && `, and moves ${percent(at(atBound, 0.5))} of its values by the whole radius`;
    return `the median perturbation of ${label} is ${significant(at(l2, 0.5), 3)} large in L2${bound ?? ''}`;
  });
  return `Sizes of perturbations: ${lines.join('; ')}.`;
}

import type { Threat } from '../../core/threat-model.ts';
import { normSymbol, percent, radius } from '../format.ts';
import type { Html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import type { Measured } from '../slice.ts';
import type { Pen, Point } from '../svg.ts';
import { textWidth } from '../text-width.ts';
import { type EpsilonScale, epsilonScale, labelledRadii } from './epsilon-scale.ts';
import { drawAxisTitle, ink, muted, PLOT_HEIGHT, SMALL, sharePanel, yOf } from './share-panel.ts';

export interface AccuracySeries {
  readonly label: string;
  /** What its accuracy is that of, for those who do not see it: by default, under what its label names. */
  readonly words?: string;
  readonly style: LineStyle;
  /** By ascending radius. */
  readonly points: readonly { readonly epsilon: number; readonly measured: Measured }[];
}

export interface AccuracyPanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly norm: Threat;
  /** All radii of the figure, ascending: panels share their axes. */
  readonly grid: readonly number[];
  /** The radius of the headline table. */
  readonly marked: number;
  readonly clean: Measured;
  /** Accuracy of guessing. */
  readonly chance: number;
  readonly series: readonly AccuracySeries[];
  /** The names of all lines of the figure: the longest decides how much room is left for them. */
  readonly names: readonly string[];
}

/** Accuracy against epsilon for one network: a line per attack with its 95 % ribbon, the clean accuracy and chance. */
export function accuracyPanel(panel: AccuracyPanel): Html {
  return sharePanel({
    words: { id: panel.id, title: panel.title, description: describe(panel) },
    names: panel.names,
    draw: (pen, width) => {
      const scale = epsilonScale(panel.grid, width);
      const { at } = scale;
      drawFrame(pen, panel, scale, width);
      for (const { style, points } of panel.series) {
        const upper = points.map(({ epsilon, measured }): Point => [at(epsilon), yOf(measured.interval[1])]);
        const lower = points.map(({ epsilon, measured }): Point => [at(epsilon), yOf(measured.interval[0])]);
        if (points.length > 1) pen.area([...upper, ...lower.toReversed()], style, 0.16);
      }
      for (const series of panel.series) drawSeries(pen, panel, series, at);
      drawClean(pen, panel.clean);
      return panel.series.flatMap(({ label, style, points }) => {
        const last = points.at(-1);
        return last === undefined ? [] : [{ label, style, x: at(last.epsilon), y: yOf(last.measured.share) }];
      });
    },
  });
}

function drawFrame(pen: Pen, panel: AccuracyPanel, scale: EpsilonScale, width: number): void {
  const x = scale.at(panel.marked);
  pen.line([x, -6], [x, PLOT_HEIGHT], { ...muted, width: 1, opacity: 0.55 });
  pen.text([x, -11], `ε = ${radius(panel.marked)}`, { size: 11, anchor: 'middle', colour: muted });
  const chance = yOf(panel.chance);
  pen.line([0, chance], [width, chance], { ...muted, width: 1, dash: '5 4' });
  pen.text([4, chance + (isTakenAbove(panel) ? 14 : -5)], `chance ${percent(panel.chance)}`, {
    size: 11,
    colour: muted,
  });
  drawRadii(pen, panel, scale, width);
}

/** Whether the lines, which begin at the accuracy without attack, leave no room for words above the level of chance. */
function isTakenAbove({ chance, clean }: AccuracyPanel): boolean {
  const above = yOf(chance) - yOf(clean.share);
  return yOf(chance) < 20 || (above > -2 && above < 20 && yOf(chance) + 16 < PLOT_HEIGHT);
}

function drawRadii(pen: Pen, panel: AccuracyPanel, { at, breakAt }: EpsilonScale, width: number): void {
  const base = PLOT_HEIGHT;
  pen.line([0, base], [width, base], { ...ink, width: 1 });
  if (breakAt !== undefined) {
    pen.line([breakAt, base], [breakAt + 8, base], { ink: { light: '#ffffff', dark: '' }, name: 'paper', width: 3 });
    for (const shift of [0, 8])
      pen.line([breakAt + shift - 2, base + 4], [breakAt + shift + 2, base - 4], { ...ink, width: 1 });
  }
  for (const epsilon of panel.grid) pen.line([at(epsilon), base], [at(epsilon), base + 4], { ...ink, width: 1 });
  const widthOf = (epsilon: number): number => textWidth(radius(epsilon), { size: SMALL, weight: 700 });
  for (const epsilon of labelledRadii(panel.grid, panel.marked, { at, breakAt }, widthOf)) {
    const weight = epsilon === panel.marked ? 700 : 400;
    pen.text([at(epsilon), base + 18], radius(epsilon), { size: SMALL, anchor: 'middle', colour: ink, weight });
  }
  const kind = breakAt === undefined ? '' : ', logarithmic';
  drawAxisTitle(pen, width, `radius ε (${normSymbol(panel.norm)}${kind})`);
}

function drawSeries(pen: Pen, panel: AccuracyPanel, series: AccuracySeries, at: (epsilon: number) => number): void {
  const { style, points } = series;
  const path = points.map(({ epsilon, measured }): Point => [at(epsilon), yOf(measured.share)]);
  const first = path[0];
  if (first !== undefined) {
    // From the clean accuracy to the first radius nothing was measured, and a logarithmic axis has its break there.
    pen.line([0, yOf(panel.clean.share)], first, { ...style, width: 1.25, opacity: 0.45, dash: style.dash });
  }
  pen.polyline(path, { ...style, width: 2, dash: style.dash });
  for (const point of path) pen.marker(point, style.marker, style, { size: 3.2 });
}

function drawClean(pen: Pen, { share, interval }: Measured): void {
  pen.line([0, yOf(interval[0])], [0, yOf(interval[1])], { ...ink, width: 1.5 });
  pen.marker([0, yOf(share)], 'circle', ink, { hollow: true, size: 4 });
}

function describe({ clean, series, norm }: AccuracyPanel): string {
  const lines = series.flatMap(({ label, words = `under ${label}`, points }) => {
    const last = points.at(-1);
    return last === undefined ? [] : [`${percent(last.measured.share)} ${words} at ε = ${radius(last.epsilon)}`];
  });
  return [`Accuracy is ${percent(clean.share)} without attack`, ...lines]
    .join(', ')
    .concat(`; radii in ${normSymbol(norm)}.`);
}

import type { Norm } from '../../core/threat-model.ts';
import type { Step } from '../distance-spread.ts';
import { normSymbol, percent, significant } from '../format.ts';
import type { Html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import type { Pen, Point } from '../svg.ts';
import { drawAxisTitle, ink, PLOT_HEIGHT, SMALL, sharePanel, yOf } from './share-panel.ts';

export interface DistanceSeries {
  readonly label: string;
  readonly style: LineStyle;
  /** By ascending radius, the first of them 0. */
  readonly steps: readonly Step[];
  /** Where half of the images have fallen, if they do. */
  readonly median: number | null;
}

export interface DistancePanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly norm: Norm;
  /** The radius at which the axis ends, above 0: panels share it. */
  readonly largest: number;
  readonly series: readonly DistanceSeries[];
  /** The names of all lines of the figure. */
  readonly names: readonly string[];
}

/** Radii that the axis shows, at most, beside 0. */
const MOST_TICKS = 6;

/** The share of images farther from an adversarial one than r, against r: a falling staircase per attack of minimum norm. */
export function distancePanel(panel: DistancePanel): Html {
  return sharePanel({
    words: { id: panel.id, title: panel.title, description: describe(panel) },
    names: panel.names,
    draw: (pen, width) => {
      const at = (radius: number): number => (radius / panel.largest) * width;
      drawRadii(pen, panel, at, width);
      for (const { style, steps, median } of panel.series) {
        pen.polyline(staircase(steps, at, width), { ...style, width: 2, dash: style.dash });
        if (median !== null) pen.marker([at(median), yOf(0.5)], style.marker, style, { size: 4.2 });
      }
      return panel.series.map(({ label, style, steps }) => ({
        ...{ label, style, x: width },
        y: yOf(steps.at(-1)?.share ?? 0),
      }));
    },
  });
}

/** Level to the next radius, then down. */
function staircase(steps: readonly Step[], at: (radius: number) => number, width: number): readonly Point[] {
  const corners = steps.flatMap(({ radius, share }, i): Point[] => {
    const before = steps[i - 1];
    const corner: Point = [at(radius), yOf(share)];
    return before === undefined ? [corner] : [[at(radius), yOf(before.share)], corner];
  });
  return [...corners, [width, yOf(steps.at(-1)?.share ?? 0)]];
}

function drawRadii(pen: Pen, { norm, largest }: DistancePanel, at: (radius: number) => number, width: number): void {
  pen.line([0, PLOT_HEIGHT], [width, PLOT_HEIGHT], { ...ink, width: 1 });
  for (const radius of roundRadii(largest)) {
    const x = at(radius);
    pen.line([x, PLOT_HEIGHT], [x, PLOT_HEIGHT + 4], { ...ink, width: 1 });
    pen.text([x, PLOT_HEIGHT + 18], significant(radius, 2), { size: SMALL, anchor: 'middle', colour: ink });
  }
  drawAxisTitle(pen, width, `distance r (${normSymbol(norm)})`);
}

/** Multiples of 1, 2 or 5 times a power of ten, from 0 to at most `largest`. */
export function roundRadii(largest: number): readonly number[] {
  const power = 10 ** Math.floor(Math.log10(largest / MOST_TICKS));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => largest / size <= MOST_TICKS) ?? largest;
  return Array.from({ length: Math.floor(largest / step) + 1 }, (_, i) => i * step);
}

function describe({ series, norm }: DistancePanel): string {
  const lines = series.map(({ label, median, steps }) => {
    const left = `${percent(steps.at(-1)?.share ?? 0)} of the images are left`;
    const half =
      median === null ? 'half of the images never fall' : `half of them fall within ${significant(median, 3)}`;
    return `under ${label} ${half}, and at the end ${left}`;
  });
  return `Share of images farther from an adversarial one than r, ${normSymbol(norm)}: ${lines.join('; ')}.`;
}

import type { Norm } from '../../core/threat-model.ts';
import type { Step } from '../distance-spread.ts';
import { normSymbol, percent, significant } from '../format.ts';
import type { Html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import { sharePanel, yOf } from './share-panel.ts';
import { drawDistances, staircase } from './staircase.ts';

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

/** The share of images farther from an adversarial one than r, against r: a falling staircase per attack of minimum norm. */
export function distancePanel(panel: DistancePanel): Html {
  return sharePanel({
    words: { id: panel.id, title: panel.title, description: describe(panel) },
    names: panel.names,
    draw: (pen, width) => {
      const at = (radius: number): number => (radius / panel.largest) * width;
      drawDistances(pen, { largest: panel.largest, title: `distance r (${normSymbol(panel.norm)})`, width });
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

function describe({ series, norm }: DistancePanel): string {
  const lines = series.map(({ label, median, steps }) => {
    const left = `${percent(steps.at(-1)?.share ?? 0)} of the images are left`;
    const half =
      median === null ? 'half of the images never fall' : `half of them fall within ${significant(median, 3)}`;
    return `under ${label} ${half}, and at the end ${left}`;
  });
  return `Share of images farther from an adversarial one than r, ${normSymbol(norm)}: ${lines.join('; ')}.`;
}

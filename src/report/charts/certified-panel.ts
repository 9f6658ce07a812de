import type { Step } from '../distance-spread.ts';
import { percent, significant } from '../format.ts';
import type { Html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import { sharePanel, yOf } from './share-panel.ts';
import { drawDistances, staircase } from './staircase.ts';

export interface CertifiedSeries {
  /** `σ = 0.25` */
  readonly label: string;
  readonly style: LineStyle;
  /** By ascending radius, the first of them 0. */
  readonly steps: readonly Step[];
}

export interface CertifiedPanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  /** The radius at which the axis ends, above 0: panels share it. */
  readonly largest: number;
  readonly series: readonly CertifiedSeries[];
  /** The names of all lines of the figure. */
  readonly names: readonly string[];
}

/** The share of images certified with the right class against the L2 radius: a falling staircase per level of noise. */
export function certifiedPanel({ id, title, largest, series, names }: CertifiedPanel): Html {
  return sharePanel({
    words: { id, title, description: describe(series) },
    names,
    draw: (pen, width) => {
      const at = (radius: number): number => (radius / largest) * width;
      drawDistances(pen, { largest, title: 'certified radius r (L2)', width });
      return series.map(({ label, style, steps }) => {
        const first = steps[0]?.share ?? 0;
        const end = steps.findLast(({ share }) => share > 0);
        const last = steps.find(({ share }) => share === 0)?.radius ?? largest;
        pen.polyline(staircase(steps, at, at(last)), { ...style, width: 2, dash: style.dash });
        pen.marker([0, yOf(first)], style.marker, style, { size: 3.6 });
        // Named where it ends above nothing, so that names of lines that all end at nothing stand apart.
        return { label, style, x: width, y: yOf(end?.share ?? 0) };
      });
    },
  });
}

function describe(series: readonly CertifiedSeries[]): string {
  const lines = series.map(({ label, steps }) => {
    const gone = steps.find(({ share }) => share === 0)?.radius;
    const end = gone === undefined ? '' : `, none from ${significant(gone, 2)} on`;
    return `with ${label}, ${percent(steps[0]?.share ?? 0)} of the images at some radius${end}`;
  });
  return `Share of images that are certified at radius r with the right class: ${lines.join('; ')}.`;
}

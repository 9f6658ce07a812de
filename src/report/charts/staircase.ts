/** A falling share of images against a distance, as a line of steps over a linear axis of distances. */
import type { Step } from '../distance-spread.ts';
import { significant } from '../format.ts';
import type { Pen, Point } from '../svg.ts';
import { drawAxisTitle, ink, PLOT_HEIGHT, SMALL, yOf } from './share-panel.ts';

/** Distances that the axis shows, at most, beside 0. */
const MOST_TICKS = 6;

/** Level to the next radius, then down. */
export function staircase(steps: readonly Step[], at: (radius: number) => number, width: number): readonly Point[] {
  const corners = steps.flatMap(({ radius, share }, i): Point[] => {
    const before = steps[i - 1];
    const corner: Point = [at(radius), yOf(share)];
    return before === undefined ? [corner] : [[at(radius), yOf(before.share)], corner];
  });
  return [...corners, [width, yOf(steps.at(-1)?.share ?? 0)]];
}

/** The axis from 0 to `largest`, and what stands under it. */
export function drawDistances(
  pen: Pen,
  { largest, title, width }: { readonly largest: number; readonly title: string; readonly width: number },
): void {
  pen.line([0, PLOT_HEIGHT], [width, PLOT_HEIGHT], { ...ink, width: 1 });
  for (const radius of roundRadii(largest)) {
    const x = (radius / largest) * width;
    pen.line([x, PLOT_HEIGHT], [x, PLOT_HEIGHT + 4], { ...ink, width: 1 });
    pen.text([x, PLOT_HEIGHT + 18], significant(radius, 2), { size: SMALL, anchor: 'middle', colour: ink });
  }
  drawAxisTitle(pen, width, title);
}

/** Multiples of 1, 2 or 5 times a power of ten, from 0 to at most `largest`. */
export function roundRadii(largest: number): readonly number[] {
  const power = 10 ** Math.floor(Math.log10(largest / MOST_TICKS));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => largest / size <= MOST_TICKS) ?? largest;
  return Array.from({ length: Math.floor(largest / step) + 1 }, (_, i) => i * step);
}

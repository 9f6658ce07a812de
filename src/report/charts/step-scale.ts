/** The horizontal axis of steps, shared by all panels of a figure: from none to the most that an attack takes. */
import { whole } from '../format.ts';
import type { Pen } from '../svg.ts';
import { textWidth } from '../text-width.ts';
import { drawAxisTitle, ink, PLOT_HEIGHT, SMALL } from './share-panel.ts';
import { roundRadii } from './staircase.ts';

export interface StepScale {
  /** Pixels from the axis' left end, where no step is taken. */
  readonly at: (step: number) => number;
  /** Steps that have labels. */
  readonly ticks: readonly number[];
  readonly isLogarithmic: boolean;
}

/** From this ratio of the longest to the shortest attack on, the axis is logarithmic, lest the short one be a dash. */
const LOG_FROM = 8;

/** @param lengths - how many steps each of the attacks takes, at least one of them */
export function stepScale(lengths: readonly number[], width: number): StepScale {
  const most = Math.max(1, ...lengths);
  const isLogarithmic = most / Math.max(1, Math.min(...lengths)) >= LOG_FROM;
  if (!isLogarithmic) {
    const ticks = roundRadii(most).filter(Number.isInteger);
    return { at: (step) => (step / most) * width, ticks, isLogarithmic };
  }
  // The start has its place too: so many steps and one.
  const at = (step: number): number => (Math.log1p(step) / Math.log1p(most)) * width;
  const powers = Array.from({ length: 1 + Math.floor(Math.log10(most)) }, (_, i) => 10 ** i);
  return { at, ticks: apart([0, ...powers], at), isLogarithmic };
}

/** Those whose labels do not touch, from the left. */
function apart(steps: readonly number[], at: StepScale['at']): readonly number[] {
  const chosen: number[] = [];
  for (const step of steps) {
    const last = chosen.at(-1);
    const room = (textWidth(whole(step), { size: SMALL }) + textWidth(whole(last ?? 0), { size: SMALL })) / 2 + 4;
    if (last === undefined || at(step) - at(last) >= room) chosen.push(step);
  }
  return chosen;
}

/** The axis at the lower edge of a plot that ends `below` pixels under the panel's own. */
export function drawSteps(pen: Pen, { at, ticks, isLogarithmic }: StepScale, width: number, below: number): void {
  const base = PLOT_HEIGHT + below;
  pen.line([0, base], [width, base], { ...ink, width: 1 });
  for (const step of ticks) {
    pen.line([at(step), base], [at(step), base + 4], { ...ink, width: 1 });
    pen.text([at(step), base + 18], whole(step), { size: SMALL, anchor: 'middle', colour: ink });
  }
  drawAxisTitle(pen, width, `steps taken${isLogarithmic ? ' (logarithmic)' : ''}`, below);
}

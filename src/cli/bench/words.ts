/** Figures as cells of a table. */
import { megabytes, rate } from '../../report/format.ts';
import { type Column, numbers } from '../columns.ts';
import type { Figures } from './figures.ts';

export const FIGURE_COLUMNS: readonly Column[] = [
  numbers('forward/s'),
  numbers('attack steps/s'),
  numbers('compiled in'),
  numbers('peak memory'),
];

export const figuresInWords = ({ forward, attackStep, compileSeconds, peakMemory }: Figures): string[] => [
  rate(forward),
  rate(attackStep),
  `${compileSeconds.toFixed(1)} s`,
  megabytes(peakMemory),
];

/** `27.3 forward/s, 9.4 attack steps/s, compiled in 3.2 s, 767 MB` */
export function figuresInOneLine(figures: Figures): string {
  const [forward, attackStep, compiledIn, memory] = figuresInWords(figures);
  return `${forward} forward/s, ${attackStep} attack steps/s, compiled in ${compiledIn}, ${memory}`;
}

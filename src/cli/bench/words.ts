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

import type { Cell, Run } from '../core/run.ts';
import { printable } from './html.ts';

const COLUMNS: readonly (readonly [name: string, value: (cell: Cell) => string | number])[] = [
  ['arch', (cell) => cell.arch],
  ['training', (cell) => cell.training],
  ['dataset', (cell) => cell.dataset],
  ['attack', (cell) => cell.attack],
  ['params', (cell) => JSON.stringify(cell.params)],
  ['norm', (cell) => cell.norm],
  ['epsilon', (cell) => cell.epsilon],
  ['goal', (cell) => cell.goal.kind],
  ['target', (cell) => (cell.goal.kind === 'targeted' ? cell.goal.target : '')],
  ['restarts', (cell) => cell.restarts],
  ['images', (cell) => cell.images],
  ['cleanCorrect', (cell) => cell.cleanCorrect],
  ['robustCorrect', (cell) => cell.robustCorrect],
  ['robustCorrect8bit', (cell) => cell.robustCorrect8bit],
  ['cleanAccuracy', (cell) => cell.cleanAccuracy],
  ['cleanWilsonLow', (cell) => cell.cleanWilson95[0]],
  ['cleanWilsonHigh', (cell) => cell.cleanWilson95[1]],
  ['robustAccuracy', (cell) => cell.robustAccuracy],
  ['robustWilsonLow', (cell) => cell.wilson95[0]],
  ['robustWilsonHigh', (cell) => cell.wilson95[1]],
  ['robustAccuracy8bit', (cell) => cell.robustAccuracy8bit],
  ['gradients', (cell) => cell.gradients],
  ['forwards', (cell) => cell.forwards],
  ['unverified', (cell) => cell.unverified],
  ['seconds', (cell) => cell.seconds],
];

/** The run's cells as CSV (RFC 4180: CRLF, doubled quotes), a row per cell under a row of names. */
export const toCsv = (run: Run): string =>
  [COLUMNS.map(([name]) => name), ...run.cells.map((cell) => COLUMNS.map(([, value]) => field(value(cell))))]
    .map((row) => `${row.join(',')}\r\n`)
    .join('');

/**
 * What a terminal would obey is made visible, for people look at such files there; text that a spreadsheet would run as a
 * formula is given a leading apostrophe, which makes it text.
 */
function field(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const shown = printable(value);
  const inert = /^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** Naive and adaptive attacks on defended networks, as lines for a terminal. */
import type { DefendedCell, Run } from '../core/run.ts';
import { normSymbol, percent, radius } from './format.ts';
import { headlineEpsilon } from './headline-epsilon.ts';
import { printable } from './html.ts';
import { architectureTitle } from './names.ts';
import { sameRadius, slicesOf } from './slice.ts';

/** At the radius of the headline; nothing if the run has no defense. */
export function defendedTable(run: Run): readonly string[] {
  const [slice] = slicesOf(run);
  if (slice === undefined || run.defended === undefined) return [];
  const { epsilon } = headlineEpsilon(slice);
  const here = run.defended.filter((cell) => sameRadius(cell.epsilon, epsilon));
  if (here.length === 0) return [];
  const head = ['Defended network', 'attack', 'clean', 'naive', 'adaptive'];
  const rows = [head, ...here.map((cell) => rowOf(run, cell))];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const room = ' '.repeat((widths[column] ?? 0) - [...cell].length);
        return column < 2 ? cell + room : room + cell;
      })
      .join('  ')
      .trimEnd(),
  );
  return [`Defenses, naive and adaptive attacks, ${normSymbol(slice.norm)} ε = ${radius(epsilon)}`, ...lines];
}

const rowOf = (run: Run, cell: DefendedCell): string[] =>
  [
    `${architectureTitle(run, cell.arch)} ${cell.training}`,
    cell.attack,
    percent(cell.cleanCorrect / cell.images),
    percent(cell.naiveAccuracy),
    percent(cell.adaptiveAccuracy),
  ].map((text) => printable(text).replace(/\s+/g, ' '));

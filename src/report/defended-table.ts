/** Naive and adaptive attacks on defended networks, as lines for a terminal. */
import type { DefendedCell, Run } from '../core/run.ts';
import { interval, normSymbol, percent, radius, shorten } from './format.ts';
import { headlineEpsilon } from './headline-epsilon.ts';
import { clean, type Line, layOut, MOST_TRAINING, paint, type TableOptions, totalWidth } from './lines.ts';
import { architectureTitle } from './names.ts';
import { sameRadius, slicesOf } from './slice.ts';

/** At the radius of the headline; nothing if the run has no defense. */
export function defendedTable(run: Run, options: TableOptions): readonly string[] {
  const [slice] = slicesOf(run);
  if (slice === undefined || run.defended === undefined) return [];
  const { epsilon } = headlineEpsilon(slice);
  const here = run.defended.filter((cell) => sameRadius(cell.epsilon, epsilon));
  if (here.length === 0) return [];
  const wide = [HEAD, ...here.map((cell, i) => wideLine(run, cell, here[i - 1]))];
  const fits = totalWidth(wide) <= options.width;
  const title = `Defenses, naive and adaptive attacks, ${normSymbol(slice.norm)} ε = ${radius(epsilon)}`;
  return [paint(title, 'bold', options), ...(fits ? layOut(wide, options) : tall(run, here, options))];
}

const HEAD: Line = { cells: ['', '', 'attack', 'clean', 'naive', 'adaptive', '95 % interval'], worst: undefined };

/** Which of the cells says what the defense is worth, if that is less than it seems. */
const markOf = ({ adaptiveCorrect, naiveCorrect }: DefendedCell, place: number): number | undefined =>
  adaptiveCorrect < naiveCorrect ? place : undefined;

/** A line per network and attack; the architecture is named where it is another than that of the line `before`. */
function wideLine(run: Run, cell: DefendedCell, before: DefendedCell | undefined): Line {
  return {
    cells: [
      before?.arch === cell.arch ? '' : nameOf(run, cell.arch),
      shorten(clean(cell.training), MOST_TRAINING),
      shorten(clean(cell.attack), 20),
      percent(cell.cleanCorrect / cell.images),
      percent(cell.naiveAccuracy),
      percent(cell.adaptiveAccuracy),
      interval(cell.adaptiveWilson95),
    ],
    worst: markOf(cell, 5),
  };
}

/** The same for narrow terminals: the network, and below it a line per adversary. */
function tall(run: Run, here: readonly DefendedCell[], options: TableOptions): readonly string[] {
  const laid = layOut(here.flatMap(adversaries), options);
  const each = laid.length / here.length;
  return here.flatMap((cell, i) => [
    shorten(`${nameOf(run, cell.arch)} ${clean(cell.training)}, ${clean(cell.attack)}`, options.width),
    ...laid.slice(each * i, each * (i + 1)),
  ]);
}

const adversaries = (cell: DefendedCell): readonly Line[] => [
  { cells: ['  clean', percent(cell.cleanCorrect / cell.images), ''], worst: undefined },
  { cells: ['  naive', percent(cell.naiveAccuracy), interval(cell.naiveWilson95)], worst: undefined },
  { cells: ['  adaptive', percent(cell.adaptiveAccuracy), interval(cell.adaptiveWilson95)], worst: markOf(cell, 1) },
];

const nameOf = (run: Run, arch: string): string => shorten(clean(architectureTitle(run, arch)), 24);

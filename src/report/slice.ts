/** The run's cells sorted into what one table can show: one dataset, one norm, one goal. */
import type { Cell, Run, Training } from '../core/run.ts';
import type { Goal, Threat } from '../core/threat-model.ts';
import { STANDARD } from '../core/training.ts';
import { trainedRadii } from '../core/training-record.ts';

/** A share of images, with its Wilson interval. */
export interface Measured {
  readonly images: number;
  readonly share: number;
  readonly interval: readonly [low: number, high: number];
}

/** A network under attack: an architecture trained one way. */
export interface Contender {
  readonly arch: string;
  readonly training: string;
}

/** An attack with one setting of its parameters. */
export interface Variant {
  /** The attack's name, with what tells it from its other settings: `pgd`, or `pgd steps=100`. */
  readonly label: string;
  readonly attack: string;
  readonly cells: readonly Cell[];
}

export interface Slice {
  readonly dataset: string;
  readonly norm: Threat;
  readonly goal: Goal;
  readonly cells: readonly Cell[];
  /** Each in the order of the run, but for the radii, which ascend, and plain training, with which others are compared. */
  readonly epsilons: readonly number[];
  readonly trainings: readonly string[];
  readonly contenders: readonly Contender[];
  readonly variants: readonly Variant[];
  /** The radii in its norm that its networks were trained against, as far as their checkpoints tell. */
  readonly trainedRadii: readonly number[];
}

export const cleanOf = (cell: Cell): Measured => ({
  images: cell.images,
  share: cell.cleanAccuracy,
  interval: cell.cleanWilson95,
});

export const robustOf = (cell: Pick<Cell, 'images' | 'robustAccuracy' | 'wilson95'>): Measured => ({
  images: cell.images,
  share: cell.robustAccuracy,
  interval: cell.wilson95,
});

/** Radii are computed, so two that differ by rounding alone are one. */
export const sameRadius = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9;

/** Groups in order of first appearance. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

export const isOf = (contender: Contender, item: Contender): boolean =>
  item.arch === contender.arch && item.training === contender.training;

/** The run's slices, in its own order: at least one, unless it certifies instead of attacking. */
export function slicesOf(run: Run): readonly Slice[] {
  const groups = groupBy(run.cells, (cell) => JSON.stringify([cell.dataset, cell.norm, cell.goal]));
  return [...groups.values()].flatMap((cells) => {
    const first = cells[0];
    return first === undefined ? [] : [sliceOf(first, cells, run.trainings)];
  });
}

function sliceOf(first: Cell, cells: readonly Cell[], trainings: readonly Training[] = []): Slice {
  const contenders = [...groupBy(cells, (cell) => JSON.stringify([cell.arch, cell.training])).values()].flatMap(
    ([cell]) => (cell === undefined ? [] : [{ arch: cell.arch, training: cell.training }]),
  );
  const ascending = cells.map((cell) => cell.epsilon).sort((a, b) => a - b);
  return {
    dataset: first.dataset,
    norm: first.norm,
    goal: first.goal,
    cells,
    epsilons: ascending.filter((epsilon, i) => i === 0 || !sameRadius(epsilon, ascending[i - 1] ?? -1)),
    trainings: [...new Set(cells.map((cell) => cell.training))].toSorted(
      (a, b) => Number(b === STANDARD) - Number(a === STANDARD),
    ),
    contenders,
    variants: [...groupBy(cells, (cell) => cell.attack).values()].flatMap(variantsOf),
    trainedRadii: trainedRadii(
      trainings.filter((one) => contenders.some((contender) => isOf(contender, one))).map(({ record }) => record),
      first.norm,
    ),
  };
}

/** One attack's cells by setting. Settings count only where one box was measured twice: some of them follow the radius. */
function variantsOf(cells: readonly Cell[]): readonly Variant[] {
  const attack = cells[0]?.attack ?? '';
  const boxes = new Set(cells.map((cell) => JSON.stringify([cell.arch, cell.training, cell.epsilon])));
  if (boxes.size === cells.length) return [{ label: attack, attack, cells }];
  const settings = [...groupBy(cells, (cell) => JSON.stringify(settingOf(cell))).values()];
  const differing = Object.keys(Object.assign({}, ...cells.map(settingOf))).filter(
    (name) => new Set(cells.map((cell) => JSON.stringify(settingOf(cell)[name]))).size > 1,
  );
  return settings.map((group) => {
    const setting = group[0] === undefined ? {} : settingOf(group[0]);
    const words = differing.map((name) => `${name}=${String(setting[name] ?? 'auto')}`);
    return { label: [attack, ...words].join(' '), attack, cells: group };
  });
}

const settingOf = (cell: Cell): Record<string, unknown> => ({ ...cell.params, restarts: cell.restarts });

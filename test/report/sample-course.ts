/** The courses of attacks that end as the cells say, made of smooth curves. */
import { QUANTILES } from '../../src/core/run/perturbations.ts';
import type { Cell, Confusion, Perturbations, Run, Trace } from '../../src/core/run.ts';

/** Steps of the sample's attacks, beside those of one step. */
const STEPS: Readonly<Record<string, number>> = { pgd: 40, square: 5000 };

const of = ({ arch, training, attack, norm, epsilon }: Cell) => ({ arch, training, attack, norm, epsilon });

/** One per cell of an attack of several steps, whose images fall evenly from the first step to the last. */
export const traceOf = (cell: Cell, steps = marksTo(STEPS[cell.attack] ?? 10)): Trace => {
  const [images, fell] = [Math.max(1, cell.cleanCorrect), cell.cleanCorrect - cell.robustCorrect];
  const most = steps.at(-1) ?? 1;
  const before = Math.floor(fell / 8);
  const at = (shift: number): number[] => steps.map((step) => Number((shift + (6 * step) / most - 7).toPrecision(4)));
  return {
    ...{ ...of(cell), images, before, steps: [...steps] },
    fooled: steps.map((step) => before + Math.floor(((fell - before) * step) / most)),
    loss: { images: Math.min(100, images - before), low: at(-2), median: at(0), high: at(2.5) },
  };
};

const marksTo = (most: number): readonly number[] => {
  const count = Math.min(most, 20);
  return Array.from({ length: count + 1 }, (_, i) => Math.round(most * (i / count) ** (most > 100 ? 2 : 1)));
};

/** Sizes that rise evenly from half of the largest on. */
export const perturbationsOf = (cell: Cell): Perturbations => ({
  ...{ ...of(cell), images: Math.max(1, cell.cleanCorrect), fooled: cell.cleanCorrect - cell.robustCorrect },
  l2: QUANTILES.map((share) => Number((8 * cell.epsilon * (0.5 + 0.5 * share)).toPrecision(6))),
  ...(cell.norm === 'Linf'
    ? { atBound: QUANTILES.map((share) => (cell.attack === 'noise' ? 0 : 0.3 + 0.3 * share)) }
    : {}),
});

/** About as many images of every class; each is taken twice as often for the next class as for the one behind it. */
export function confusionOf(cell: Cell, classes: number, few = true): Confusion {
  const [images, fell] = [Math.max(1, cell.cleanCorrect), cell.cleanCorrect - cell.robustCorrect];
  const share = (total: number, label: number): number =>
    Math.floor((total * (label + 1)) / classes) - Math.floor((total * label) / classes);
  // Of every class as large a part as of all.
  const gone = (label: number): number => {
    const upTo = (count: number): number => Math.floor((fell * Math.floor((images * count) / classes)) / images);
    return upTo(label + 1) - upTo(label);
  };
  const flips = Array.from({ length: classes }, (_, from) => from).flatMap((from) => {
    const [all, size] = [gone(from), share(images, from)];
    const next = Math.ceil((2 * all) / 3);
    return [
      { from, to: (from + 1) % classes, images: next, of: size },
      { from, to: (from + 2) % classes, images: all - next, of: size },
    ].filter((flip) => flip.images > 0);
  });
  return {
    ...{ ...of(cell), images, fooled: fell },
    flips: flips.sort((a, b) => b.images - a.images || a.from - b.from || a.to - b.to),
    ...(few ? { attacked: Array.from({ length: classes }, (_, label) => share(images, label)) } : {}),
  };
}

/** The courses of all attacks at a radius. */
export function coursesOf(cells: readonly Cell[], epsilon: number, classes: number): Partial<Run> {
  const here = cells.filter((cell) => cell.epsilon === epsilon);
  return {
    traces: here.filter(({ attack }) => STEPS[attack] !== undefined).map((cell) => traceOf(cell)),
    perturbations: here.map(perturbationsOf),
    confusions: here.map((cell) => confusionOf(cell, classes)),
  };
}

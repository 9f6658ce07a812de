/** The boxes of the grid, and the worst case over attacks, from what happened to every image. */
import { isEnsemble } from '../core/attack.ts';
import type { Cell, Distances, WorstCase } from '../core/run.ts';
import { wilson95 } from '../core/statistics.ts';
import type { Course } from './course.ts';
import type { Contender, ExperimentPlan, PlannedAttack } from './plan.ts';
import type { Tally } from './tally.ts';

/** An attack's results on a contender. */
export interface Measured {
  readonly planned: PlannedAttack;
  readonly tally: Tally;
  readonly course: Course;
  /** The restarts that were of use: one for an attack that draws no noise. */
  readonly restarts: number;
}

/** All results on a contender. */
export interface Standing {
  readonly contender: Contender;
  readonly cleanCorrect: number;
  /** How many images count: those of the target class, which tallies list too, do not. */
  readonly images: number;
  /** Which images count, by index. */
  readonly counted: readonly number[];
  /** Which of them are attacked. */
  readonly attacked: readonly number[];
  /** The label of every image, by index. */
  readonly labels: readonly number[];
  readonly attacks: readonly Measured[];
}

type Grid = Pick<ExperimentPlan, 'dataset' | 'norm' | 'goal' | 'epsilons'>;

/** One cell per attack and radius. */
export function cellsOf(standing: Standing, { dataset, norm, goal, epsilons }: Grid): Cell[] {
  const { contender, cleanCorrect, images } = standing;
  return standing.attacks.flatMap(({ planned, tally, restarts }) =>
    epsilons.map((epsilon, radius): Cell => {
      const robustCorrect = sum(tally.robust(radius));
      const robustCorrect8bit = sum(tally.robust8bit(radius));
      const { unverified, gradients, forwards } = tally.spent[radius] ?? NOTHING;
      return {
        arch: contender.architecture.name,
        training: contender.training,
        dataset: dataset.name,
        attack: planned.attack.name,
        params: { ...planned.params },
        norm,
        epsilon,
        goal,
        restarts,
        images,
        cleanCorrect,
        robustCorrect,
        robustCorrect8bit,
        cleanAccuracy: cleanCorrect / images,
        robustAccuracy: robustCorrect / images,
        robustAccuracy8bit: robustCorrect8bit / images,
        wilson95: wilson95(robustCorrect, images),
        cleanWilson95: wilson95(cleanCorrect, images),
        gradients,
        forwards,
        unverified,
        seconds: tally.seconds * shareOfWork(tally, radius),
      };
    }),
  );
}

/** One per attack of minimum norm. */
export function distancesOf(standing: Standing, { norm }: Grid): Distances[] {
  const { contender, counted } = standing;
  if (norm === 'spatial') return [];
  return standing.attacks.flatMap(({ planned, tally }): Distances[] => {
    if (isEnsemble(planned.attack) || planned.attack.minimumNorm !== true) return [];
    // Images that are misclassified as they are were never attacked.
    const values = counted.map((image) => (tally.distances.has(image) ? (tally.distances.get(image) ?? null) : 0));
    return [
      {
        ...{ arch: contender.architecture.name, training: contender.training, attack: planned.attack.name, norm },
        ...{ median: medianOf(values), values },
      },
    ];
  });
}

/** Those that were not found are farther than all others. */
function medianOf(values: readonly (number | null)[]): number | null {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  const middle = ((low ?? 0) + (high ?? 0)) / 2;
  return Number.isFinite(middle) ? middle : null;
}

const NOTHING = { unverified: 0, gradients: 0, forwards: 0 };
const sum = (bytes: Uint8Array): number => bytes.reduce((a, b) => a + b, 0);

/** All radii share the slots, so their time is divided by the evaluations that each of them took. */
function shareOfWork({ spent }: Tally, radius: number): number {
  const work = spent.map(({ gradients, forwards }) => gradients + forwards);
  const total = work.reduce((a, b) => a + b, 0);
  return total === 0 ? 1 / spent.length : (work[radius] ?? 0) / total;
}

/** One per radius: an image withstands if it withstood every attack. */
export function worstCasesOf(standing: Standing, { norm, epsilons }: Grid): WorstCase[] {
  const { contender, images, attacks } = standing;
  const withstood = (of: (tally: Tally) => Uint8Array): number => {
    const [first = new Uint8Array(), ...others] = attacks.map(({ tally }) => of(tally));
    return sum(first.map((robust, i) => Math.min(robust, ...others.map((other) => other[i] ?? 0))));
  };
  return epsilons.map((epsilon, radius) => {
    const robustCorrect = withstood((tally) => tally.robust(radius));
    const robustCorrect8bit = withstood((tally) => tally.robust8bit(radius));
    return {
      arch: contender.architecture.name,
      training: contender.training,
      norm,
      epsilon,
      attacks: attacks.map(({ planned }) => planned.attack.name),
      images,
      robustCorrect,
      robustCorrect8bit,
      robustAccuracy: robustCorrect / images,
      robustAccuracy8bit: robustCorrect8bit / images,
      wilson95: wilson95(robustCorrect, images),
    };
  });
}

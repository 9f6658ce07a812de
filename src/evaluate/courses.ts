/** What the courses of all attacks on a contender say: losses by step, sizes of perturbations, and what images are taken for. */
import { FEW_CLASSES } from '../core/run/confusion.ts';
import { QUANTILES } from '../core/run/perturbations.ts';
import type { Confusion, Perturbations, Trace } from '../core/run.ts';
import type { Measured, Standing } from './cells.ts';
import { galleryRadius } from './gallery.ts';
import { type ExperimentPlan, mostSteps, stagesOf } from './plan.ts';

type Grid = Pick<ExperimentPlan, 'norm' | 'epsilons' | 'galleryEpsilon'>;

/** Whether it attacks in a ball: one of minimum norm has none, one that is made of others has the ball of any of them. */
const isInBall = ({ planned }: Measured): boolean =>
  stagesOf(planned).some(({ attack }) => attack.minimumNorm !== true);

/**
 * The radius, by index, at which the course of attacks on a contender is told: the largest up to that which the report speaks of
 * that at least half of the attacked images came to, under every attack. Those that fell at a smaller one are not attacked
 * again, so that beyond it only the stubborn are left. Of every contender its own; undefined if there is none above 0.
 */
export function tellingRadius({ attacked, attacks }: Standing, { epsilons, ...grid }: Grid): number | undefined {
  const epsilonAt = (radius: number): number => epsilons[radius] as number;
  const most = epsilonAt(galleryRadius({ epsilons, ...grid }));
  const here = attacks.filter(isInBall);
  const candidates = [...epsilons.keys()].filter((radius) => epsilonAt(radius) > 0 && epsilonAt(radius) <= most);
  return candidates
    .sort((a, b) => epsilonAt(b) - epsilonAt(a))
    .find((radius) =>
      here.every(({ course }) => {
        const gone = attacked.filter((image) => course.fell(image, radius) === 'before').length;
        return course.knows(attacked, radius) && 2 * gone <= attacked.length;
      }),
    );
}

const nameOf = ({ contender }: Standing, { planned }: Measured) => ({
  ...{ arch: contender.architecture.name, training: contender.training, attack: planned.attack.name },
});

/** One per attack of several steps, at the telling radius. */
export function tracesOf(standing: Standing, grid: Grid): Trace[] {
  const { attacked } = standing;
  const radius = tellingRadius(standing, grid);
  if (radius === undefined || attacked.length === 0) return [];
  return standing.attacks
    .filter((measured) => isInBall(measured) && mostSteps(measured.planned) > 1)
    .map((measured): Trace => {
      const { course } = measured;
      const fell = attacked.map((image) => course.fell(image, radius));
      const within = (step: number): number =>
        fell.filter((at) => at === 'before' || (at !== null && at <= step)).length;
      const losses = attacked.flatMap((image, i) =>
        fell[i] === 'before' ? [] : (course.margins(image, radius) ?? []),
      );
      return {
        ...{ ...nameOf(standing, measured), norm: grid.norm, epsilon: grid.epsilons[radius] as number },
        ...{ images: attacked.length, before: fell.filter((at) => at === 'before').length },
        ...{ steps: [...course.marks], fooled: course.marks.map(within) },
        ...(losses.length === 0 ? {} : { loss: lossOf(course.marks.length, losses) }),
      };
    });
}

function lossOf(marks: number, losses: readonly Float32Array[]): NonNullable<Trace['loss']> {
  const columns = Array.from({ length: marks }, (_, place) =>
    ascending(losses.map((of) => of[place] as number).filter((loss) => !Number.isNaN(loss))),
  );
  const at = (share: number): (number | null)[] =>
    columns.map((column) => (column.length === 0 ? null : rounded(quantile(column, share))));
  return { images: losses.length, low: at(0.1), median: at(0.5), high: at(0.9) };
}

/** One per attack, at the telling radius. */
export function perturbationsOf(standing: Standing, grid: Grid): Perturbations[] {
  const { attacked } = standing;
  const { norm, epsilons } = grid;
  const radius = tellingRadius(standing, grid);
  if (radius === undefined || norm === 'spatial') return [];
  return standing.attacks.filter(isInBall).flatMap((measured): Perturbations[] => {
    const { course } = measured;
    const made = attacked.flatMap((image) => course.size(image, radius) ?? []);
    if (made.length === 0) return [];
    const fooled = attacked.filter((image) => typeof course.fell(image, radius) === 'number').length;
    const spread = (values: readonly number[]): number[] => {
      const sorted = ascending(values);
      return QUANTILES.map((share) => quantile(sorted, share));
    };
    return [
      {
        ...{ ...nameOf(standing, measured), norm, epsilon: epsilons[radius] as number },
        ...{ images: made.length, fooled, l2: spread(made.map(({ l2 }) => l2)) },
        ...(norm === 'Linf' ? { atBound: spread(made.map(({ atBound }) => atBound)) } : {}),
      },
    ];
  });
}

/** Of many classes, so many flips are told of. */
const MOST_FLIPS = 20;

/** One per attack, at the radius that the report speaks of. */
export function confusionsOf(standing: Standing, grid: Grid): Confusion[] {
  const { contender, attacked, labels } = standing;
  const { norm, epsilons } = grid;
  const radius = galleryRadius(grid);
  if (attacked.length === 0) return [];
  const sizes = new Map<number, number>();
  for (const image of attacked) sizes.set(labels[image] as number, (sizes.get(labels[image] as number) ?? 0) + 1);
  const { classes } = contender.classifier;
  return standing.attacks.flatMap((measured): Confusion[] => {
    const { course } = measured;
    if (!course.knows(attacked, radius)) return [];
    const fallen = attacked.filter((image) => course.fell(image, radius) !== null);
    const flips = new Map<string, Confusion['flips'][number]>();
    for (const image of fallen) {
      const [from, to] = [labels[image] as number, course.predicted(image, radius) as number];
      const flip = flips.get(`${from} ${to}`) ?? { from, to, images: 0, of: sizes.get(from) as number };
      flips.set(`${from} ${to}`, { ...flip, images: flip.images + 1 });
    }
    const ordered = [...flips.values()].sort((a, b) => b.images - a.images || a.from - b.from || a.to - b.to);
    const isFew = classes <= FEW_CLASSES;
    return [
      {
        ...{ ...nameOf(standing, measured), norm, epsilon: epsilons[radius] as number },
        ...{ images: attacked.length, fooled: fallen.length },
        flips: isFew ? ordered : ordered.slice(0, MOST_FLIPS),
        ...(isFew ? { attacked: Array.from({ length: classes }, (_, label) => sizes.get(label) ?? 0) } : {}),
      },
    ];
  });
}

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** The smallest value that at least such a share does not exceed: always one that was measured. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)] as number;

/** Four digits: more would be read by nobody, and stand in the file. */
const rounded = (value: number): number => Number(value.toPrecision(4));

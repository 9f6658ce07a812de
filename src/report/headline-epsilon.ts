import type { Threat } from '../core/threat-model.ts';
import { datasetTitle } from './names.ts';
import { type Slice, sameRadius } from './slice.ts';

/** The radii at which the literature compares networks; RobustBench's where it has one, else Madry et al. 2018's. */
const CUSTOMARY: Readonly<Record<string, Partial<Record<Threat, number>>>> = {
  mnist: { Linf: 0.3, L2: 2 },
  'fashion-mnist': { Linf: 0.1, L2: 1.5 },
  cifar10: { Linf: 8 / 255, L2: 0.5 },
  imagenet: { Linf: 4 / 255, L2: 3 },
};

export interface HeadlineEpsilon {
  readonly epsilon: number;
  /** Why this one, in words. */
  readonly why: string;
}

/**
 * The one radius that the headline is about: the customary one if it was measured; else the only measured
 * one that networks were trained against; else the middle of the grid, of two in the middle the smaller.
 *
 * @param slice - its radii ascending, in pixel units; a plan knows as much before the run
 */
export function headlineEpsilon({
  dataset,
  norm,
  epsilons,
  trainedRadii = [],
}: Pick<Slice, 'dataset' | 'norm' | 'epsilons'> & Partial<Pick<Slice, 'trainedRadii'>>): HeadlineEpsilon {
  const customary = norm === 'spatial' ? 1 : CUSTOMARY[dataset]?.[norm];
  const measured = epsilons.find((epsilon) => customary !== undefined && sameRadius(epsilon, customary));
  if (measured !== undefined) {
    return { epsilon: measured, why: `the customary radius for ${datasetTitle(dataset)}` };
  }
  const trained = epsilons.filter(
    (epsilon) => epsilon > 0 && trainedRadii.some((radius) => sameRadius(radius, epsilon)),
  );
  if (trained.length === 1 && trained[0] !== undefined) {
    return { epsilon: trained[0], why: 'the radius that was trained against' };
  }
  const grid = epsilons.filter((epsilon) => epsilon > 0);
  const middle = grid[Math.floor((grid.length - 1) / 2)] ?? 0;
  if (grid.length < 2) return { epsilon: middle, why: 'the only radius measured' };
  if (grid.length === 2) return { epsilon: middle, why: 'the smaller of the two radii measured' };
  const which = grid.length % 2 === 0 ? 'smaller of the two in the middle' : 'middle';
  return { epsilon: middle, why: `the ${which} of the ${grid.length} radii measured` };
}

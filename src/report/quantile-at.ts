import { QUANTILES } from '../core/run/perturbations.ts';

/** Of a spread, what such a share of the images is at most, to the nearest that is known; undefined if there is no spread. */
export const quantileAt = (quantiles: readonly number[] | undefined, share: number): number | undefined =>
  quantiles?.[Math.round(share * (QUANTILES.length - 1))];

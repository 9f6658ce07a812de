import type { Rng } from '../../src/core/rng.ts';

/** The middle of one of 2²³ equal intervals of (0,1). */
export const uniform = (rng: Rng): number => (rng.below(2 ** 23) + 0.5) / 2 ** 23;

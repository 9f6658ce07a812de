/** What PyTorch computes of losses and updates: test/oracles/training. */
import { readFileSync } from 'node:fs';

interface LossOracle {
  readonly value: readonly number[];
  /** Of the sum, towards p and q; null where it is no function of it. */
  readonly gradients: readonly [p: readonly number[] | null, q: readonly number[] | null];
}

export interface UpdateOracle {
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

type LossName = 'smoothed 0' | 'smoothed 0.1' | 'smoothed 1' | 'divergence' | 'wrong certainty';

interface Oracle {
  readonly losses: Readonly<Record<'p' | 'q' | 'y', readonly number[]>> & Readonly<Record<LossName, LossOracle>>;
  /** The two gradients after clipping, by the length they are clipped to. */
  readonly clipping: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly updates: Readonly<Record<string, UpdateOracle>>;
}

export const oracle = JSON.parse(
  readFileSync(new URL('../oracles/training/training.json', import.meta.url), 'utf8'),
) as Oracle;

/** What a sweep over radii is asked to do, and what is measured of it. */
import type { Dataset } from '../../src/core/dataset.ts';
import type { Contender, PlannedAttack } from '../../src/evaluate/plan.ts';
import type { ClockName } from './clock.ts';

export interface SweepSpec {
  readonly contender: Contender;
  readonly dataset: Dataset;
  readonly images: number;
  readonly planned: PlannedAttack;
  /** Radii in pixel units, ascending, L∞. */
  readonly epsilons: readonly number[];
  readonly seed: number;
  /** Slots of the compiled functions. */
  readonly batch: number;
  /** What seconds are counted by. */
  readonly clock: ClockName;
}

/** What one sweep took and found. */
export interface Swept {
  readonly seconds: number;
  /** Of one image at one radius each: what the attack asked for. */
  readonly gradients: number;
  /** The same, and those that were computed in slots that held no image. */
  readonly computed: number;
  /** Passes that no gradient includes: clean pass, verification, 8-bit judging, padding. */
  readonly forwards: number;
  /** Which images withstood, radius by radius: a byte each. */
  readonly standing: readonly Uint8Array[];
}

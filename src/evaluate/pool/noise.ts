/** The values of an attack's draws, item by item: a function of seed, image, restart and step. */
import { drawName, elements, type NoiseRequest } from '../../core/draws.ts';
import { fillNoise } from '../../core/rng.ts';

/** Where an item's noise stands in the seeded stream: its image, its restart, its step (0 is `init`). */
export interface NoisePosition {
  readonly seed: number;
  /** `stringHash` of the example's id. */
  readonly image: number;
  readonly restart: number;
  readonly step: number;
}

/** Buffers for the draws of a batch, filled row by row. */
export class NoiseBuffers {
  readonly arrays: Readonly<Record<string, Float32Array>>;
  readonly #requests: readonly NoiseRequest[];

  constructor(requests: readonly NoiseRequest[], batch: number) {
    this.#requests = requests;
    this.arrays = Object.fromEntries(
      requests.map(({ shape }, draw) => [drawName(draw), new Float32Array(batch * elements(shape)).fill(0.5)]),
    );
  }

  fill(row: number, position: NoisePosition): void {
    this.#requests.forEach(({ shape, distribution }, draw) => {
      const size = elements(shape);
      const values = this.arrays[drawName(draw)] as Float32Array;
      fillNoise(values.subarray(row * size, (row + 1) * size), { ...position, draw }, distribution);
    });
  }
}

/** Noise for compiled functions: which draws an attack asks for, and their values as explicit inputs. */
import type { TensorSpec } from '../compile/types.ts';
import type { Noise } from '../core/ball.ts';
import { type Distribution, fillNoise } from '../core/rng.ts';
import type { tf } from '../tf.ts';

/** One draw that an attack asks for, by the shape it has for one image. */
export interface NoiseRequest {
  readonly shape: readonly number[];
  readonly distribution: Distribution;
}

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Input specs of the draws for a batch: `{ draw0: { shape: [B, ...] }, … }`. */
export const noiseSpecs = (requests: readonly NoiseRequest[], batch: number): Record<string, TensorSpec> =>
  Object.fromEntries(requests.map(({ shape }, draw) => [`draw${draw}`, { shape: [batch, ...shape] }]));

/**
 * A `Noise` that hands the inputs out in the order in which they were asked for.
 *
 * @throws Error if a draw differs from the one that was asked for
 */
export function noiseFrom(
  owner: string,
  requests: readonly NoiseRequest[],
  inputs: Readonly<Record<string, tf.Tensor>>,
): Noise {
  let draw = 0;
  return (shape, distribution) => {
    const expected = requests[draw];
    const input = inputs[`draw${draw}`];
    if (input === undefined || expected === undefined || !sameRequest(expected, { shape, distribution })) {
      const before = expected === undefined ? `only ${requests.length} draws` : `a ${inWords(expected)} draw there`;
      throw new Error(
        `${owner} asks for draw ${draw + 1} as ${inWords({ shape, distribution })} noise, but for ${before} in rehearsal; ` +
          'ask for the same draws at every call, whatever the iteration',
      );
    }
    draw += 1;
    return input;
  };
}

const sameRequest = (a: NoiseRequest, b: NoiseRequest): boolean =>
  a.distribution === b.distribution && a.shape.join() === b.shape.join();

const inWords = ({ shape, distribution }: NoiseRequest): string => `${distribution} [${shape.join(', ')}]`;

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
      requests.map(({ shape }, draw) => [`draw${draw}`, new Float32Array(batch * elements(shape)).fill(0.5)]),
    );
  }

  fill(row: number, position: NoisePosition): void {
    this.#requests.forEach(({ shape, distribution }, draw) => {
      const size = elements(shape);
      const values = this.arrays[`draw${draw}`] as Float32Array;
      fillNoise(values.subarray(row * size, (row + 1) * size), { ...position, draw }, distribution);
    });
  }
}

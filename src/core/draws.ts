/**
 * Noise for a function that is traced once and called often: a rehearsal shows which draws it asks for, and every call
 * hands their values in as inputs.
 */
import type { tf } from '../tf.ts';
import type { Noise } from './ball.ts';
import type { Distribution } from './rng.ts';

/** One draw that a function asks for, by the shape it has for one image. */
export interface NoiseRequest {
  readonly shape: readonly number[];
  readonly distribution: Distribution;
}

/** How many values a shape holds. */
export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What the draws are called among the inputs: `draw0`, `draw1`, … */
export const drawName = (draw: number): string => `draw${draw}`;

/** Input specs of the draws for a batch of B: `{ draw0: { shape: [B, ...] }, … }`. */
export const noiseSpecs = (requests: readonly NoiseRequest[], batch: number): Record<string, { shape: number[] }> =>
  Object.fromEntries(requests.map(({ shape }, draw) => [drawName(draw), { shape: [batch, ...shape] }]));

/**
 * A `Noise` that hands the inputs out in the order in which they were asked for.
 *
 * @param owner - who asks, for the error
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
    const input = inputs[drawName(draw)];
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

/**
 * Randomness for a function that is traced once and called often: a rehearsal learns which draws it asks for, every call
 * then gets fresh ones as inputs, keyed by (seed, image, epoch).
 */
import type { Noise } from '../core/ball.ts';
import { type Distribution, fillNoise, stringHash } from '../core/rng.ts';
import { tf } from '../tf.ts';

/** One draw that the function asks for, by the shape it has for one image. */
export interface NoiseRequest {
  readonly shape: readonly number[];
  readonly distribution: Distribution;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The draws that `run` asks for, in order. It gets halves instead of random numbers, for a batch of `images`. */
export function rehearse(images: number, run: (noise: Noise) => void): readonly NoiseRequest[] {
  const requests: NoiseRequest[] = [];
  tf.tidy(() =>
    run((shape, distribution) => {
      requests.push({ shape: [...shape], distribution });
      return tf.fill([images, ...shape], 0.5);
    }),
  );
  return requests;
}

/** Input specs of the draws for a batch: `{ draw0: { shape: [images, ...] }, ... }`. */
export const noiseSpecs = (requests: readonly NoiseRequest[], images: number): Record<string, { shape: number[] }> =>
  Object.fromEntries(requests.map(({ shape }, draw) => [`draw${draw}`, { shape: [images, ...shape] }]));

/** A `Noise` that hands the inputs out in the order of the rehearsal. */
export function noiseFrom(inputs: Readonly<Record<string, tf.Tensor>>): Noise {
  let draw = 0;
  return (shape) => {
    const input = inputs[`draw${draw}`];
    if (input === undefined || input.shape.slice(1).join() !== shape.join()) {
      throw new Error(`draw ${draw} of shape [${shape.join(', ')}] was not asked for in the rehearsal`);
    }
    draw += 1;
    return input;
  };
}

export interface NoiseKeys {
  readonly seed: number;
  /** Which pass over the images this is: an epoch. */
  readonly pass: number;
  /** Which of the streams of that pass: training and validation must not share one. */
  readonly stream: number;
  /** The dataset ids, one per image of the batch. */
  readonly ids: readonly string[];
}

/** The values of all draws for a batch: a pure function of the keys, image by image. */
export function drawNoise(
  requests: readonly NoiseRequest[],
  { seed, pass, stream, ids }: NoiseKeys,
): Record<string, Float32Array> {
  const images = ids.map(stringHash);
  return Object.fromEntries(
    requests.map(({ shape, distribution }, draw) => {
      const size = sizeOf(shape);
      const values = new Float32Array(size * images.length);
      images.forEach((image, i) => {
        const key = { seed, image, restart: pass, step: stream, draw };
        fillNoise(values.subarray(i * size, (i + 1) * size), key, distribution);
      });
      return [`draw${draw}`, values];
    }),
  );
}

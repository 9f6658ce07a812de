/** The draws of a training step: learnt by a rehearsal, and filled for every batch by seed, image and epoch. */
import type { Noise } from '../core/ball.ts';
import { drawName, elements, type NoiseRequest } from '../core/draws.ts';
import { fillNoise, stringHash } from '../core/rng.ts';
import { tf } from '../tf.ts';

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

export interface NoiseKeys {
  readonly seed: number;
  /** Which pass over the images this is: an epoch. */
  readonly pass: number;
  /** Which of the streams of that pass, for all draws or each: training and validation must not share one. */
  readonly stream: number | ((draw: number) => number);
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
      const size = elements(shape);
      const step = typeof stream === 'number' ? stream : stream(draw);
      const values = new Float32Array(size * images.length);
      images.forEach((image, i) => {
        const key = { seed, image, restart: pass, step, draw };
        fillNoise(values.subarray(i * size, (i + 1) * size), key, distribution);
      });
      return [drawName(draw), values];
    }),
  );
}

/** Asks the base classifier about noisy copies of an image. */
import { fillNoise, stringHash } from '../core/rng.ts';
import { stopIfAborted } from '../evaluate/plan.ts';
import type { Judge } from '../evaluate/pool/engine.ts';
import { argMax } from '../evaluate/pool/verify.ts';
import type { Votes } from './smoothing.ts';

/** What copies are made for: each purpose has noise of its own, so that no conclusion rests on what another chose. */
export type Purpose = 'selection' | 'estimation' | 'prediction';

const DRAWS: Readonly<Record<Purpose, number>> = { selection: 0, estimation: 1, prediction: 2 };

/** Keeps the noise apart from that of attacks, whose steps are small numbers. */
const STREAM = stringHash('randomized smoothing');

export interface Poll {
  /** H·W·C values in [0,1]. */
  readonly pixels: Float32Array;
  /** `stringHash` of the image's id. */
  readonly image: number;
  readonly seed: number;
  readonly purpose: Purpose;
  /** Standard deviation of the noise, in pixel units. */
  readonly sigma: number;
  /** How many copies. */
  readonly samples: number;
  readonly signal?: AbortSignal | undefined;
  /** Logits of a copy that can be counted. @throws UserError where they are no numbers */
  readonly accept: (logits: Float32Array) => Float32Array;
}

/**
 * How many of the copies x + σ·N(0, I) are taken for each class. Copy i has the noise of (seed, image, purpose, i), whatever
 * the batch, so more copies begin with the fewer. Pixels are not clipped.
 *
 * @throws Interrupted after the batch at hand, if the signal is aborted
 */
export async function poll(judge: Judge, { pixels, samples, signal, accept, ...noise }: Poll): Promise<Votes> {
  const votes = new Uint32Array(judge.classes);
  const copies = new Float32Array(judge.batch * pixels.length);
  for (let first = 0; first < samples; first += judge.batch) {
    await new Promise(setImmediate);
    stopIfAborted(signal);
    const rows = Math.min(judge.batch, samples - first);
    for (let row = 0; row < rows; row++) {
      disturb(copies.subarray(row * pixels.length, (row + 1) * pixels.length), pixels, { ...noise, copy: first + row });
    }
    const logits = await judge.logits(copies);
    for (let row = 0; row < rows; row++) {
      const found = argMax(accept(logits.subarray(row * judge.classes, (row + 1) * judge.classes)));
      votes[found] = (votes[found] as number) + 1;
    }
  }
  return votes;
}

type Key = Pick<Poll, 'image' | 'seed' | 'purpose' | 'sigma'> & { readonly copy: number };

/** Writes the image with the noise of one copy into `out`. */
function disturb(out: Float32Array, pixels: Float32Array, { seed, image, purpose, sigma, copy }: Key): void {
  fillNoise(out, { seed, image, restart: copy, step: STREAM, draw: DRAWS[purpose] }, 'normal');
  for (let i = 0; i < out.length; i++) out[i] = (pixels[i] as number) + sigma * (out[i] as number);
}

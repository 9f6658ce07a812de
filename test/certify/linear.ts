/** A classifier whose smoothed form is known: a linear one, of two classes. */
import type { Judge } from '../../src/evaluate/pool/engine.ts';

export const WEIGHTS = [0.6, -0.8, 1.2, 0.3];
const LENGTH = Math.hypot(...WEIGHTS);

/** Class 1 on the side to which the weights point. */
export const linearJudge = (batch: number): Judge => ({
  batch,
  classes: 2,
  logits: async (images) => {
    const logits = new Float32Array(2 * batch);
    for (let row = 0; row < batch; row++) {
      logits[2 * row + 1] = WEIGHTS.reduce(
        (sum, w, i) => sum + w * ((images[row * WEIGHTS.length + i] as number) - 0.5),
        0,
      );
    }
    return logits;
  },
  release: async () => undefined,
});

/**
 * An image at such a distance from the plane, on the side of class 1. Smoothing leaves a half-space as it is, so this is the
 * radius of the smoothed classifier, whatever the noise.
 */
export const imageAt = (distance: number): Float32Array =>
  Float32Array.from(WEIGHTS, (w) => 0.5 + (distance * w) / LENGTH);

/**
 * Expectation over transformation (EOT): a randomised classifier as the mean over draws of its randomness.
 *
 * Athalye, Engstrom, Ilyas, Kwok, "Synthesizing Robust Adversarial Examples", ICML 2018, section 2.1; against randomised
 * defenses: Athalye, Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 4.2.
 *
 * A classifier is a function of images alone, so that it can be compiled, and so that each image is on its own. Its draws are
 * therefore made once and for all, from the seed, and all images share them: this is a sample of the randomised classifier,
 * of size `draws`, and not the randomness itself. An attack may fit the very draws that it sees. What it made counts against
 * the randomised classifier only as far as it fools one of another seed, which it has never seen.
 */
import { tf } from '../../tf.ts';
import type { Noise } from '../ball.ts';
import type { Classifier } from '../classifier.ts';
import { elements } from '../draws.ts';
import { usageError } from '../errors.ts';
import { fillNoise, stringHash } from '../rng.ts';
import { shownAs } from './preprocess.ts';

/** A random transform of images, and how often it is drawn. */
export interface RandomTransform {
  /**
   * Images [B, H, W, C] in [0,1] to images of one shape; `noise(shape, distribution)` gives [1, ...shape], the same for all
   * images. It must be differentiable: `backwardPass` makes it so.
   */
  transform(x: tf.Tensor4D, noise: Noise): tf.Tensor4D;
  /** How many draws are averaged. */
  readonly draws: number;
  /** Other seeds give other draws; more draws of a seed begin with the fewer. */
  readonly seed: number;
}

/**
 * The classifier behind a random transform: the mean of its logits over `draws` fixed draws. The gradient of what is linear
 * in the logits, such as a margin, is so the mean of the draws' gradients. All draws pass in one batch of `draws`·B images.
 *
 * @throws UserError (usage) if `draws` is no whole number above 0, or the seed none from 0 to 2³² - 1
 */
export function expectationOverTransformation(
  classifier: Classifier,
  { transform, draws, seed }: RandomTransform,
): Classifier {
  if (!(Number.isSafeInteger(draws) && draws > 0)) throw usageError(`${draws} draws: give a whole number above 0`);
  if (!(Number.isSafeInteger(seed) && seed >= 0 && seed < 2 ** 32)) {
    throw usageError(`the seed of the draws is ${seed}; give a whole number, 0 to 4294967295`);
  }
  return {
    ...shownAs(classifier),
    logits: (x) => {
      const drawn = Array.from({ length: draws }, (_, draw) => transform(x, noiseOf(seed, draw)));
      const all = classifier.logits(tf.concat(drawn, 0));
      return all.reshape([draws, x.shape[0], classifier.classes]).mean(0) as tf.Tensor2D;
    },
  };
}

const STREAM = stringHash('expectation over transformation');

/** Of one draw: the n-th request has the n-th place in its stream. */
function noiseOf(seed: number, draw: number): Noise {
  let request = 0;
  return (shape, distribution) => {
    const values = new Float32Array(elements(shape));
    fillNoise(values, { seed, image: STREAM, restart: draw, step: 0, draw: request }, distribution);
    request += 1;
    return tf.tensor(values, [1, ...shape]);
  };
}

/**
 * An L2 attack on a smoothed classifier: projected gradient descent on
 *
 *     -log mean_i softmax(f(x + δ_i))_c,   δ_i ~ σ·N(0, I),
 *
 * the expectation over the noise, drawn anew at every step. It exists to try certificates: inside a certified radius it must
 * never succeed.
 *
 * Salman, Yang, Li, Zhang, Zhang, Razenshteyn, Bubeck, "Provably Robust Deep Learning via Adversarially Trained Smoothed
 * Classifiers", NeurIPS 2019, section 2.2. A certificate speaks of every perturbation, so pixels may leave [0,1] here.
 */
import type { Prepare } from '../compile/types.ts';
import { ball, shorten } from '../core/ball.ts';
import type { Classifier } from '../core/classifier.ts';
import { elements } from '../core/draws.ts';
import { crossEntropy } from '../core/losses.ts';
import { fillNoise, stringHash } from '../core/rng.ts';
import { tf } from '../tf.ts';

export interface SmoothedAttackSpec {
  readonly prepare: Prepare;
  readonly classifier: Classifier;
  /** Standard deviation of the noise, in pixel units. */
  readonly sigma: number;
  /** Draws of the noise at every step. */
  readonly draws: number;
  readonly steps: number;
  /** Images attacked at once. */
  readonly batch: number;
  readonly seed: number;
}

/** One try at one image. */
export interface Attempt {
  /** H·W·C values. */
  readonly pixels: Float32Array;
  /** The class to be left. */
  readonly label: number;
  /** The L2 radius that the perturbation may have, in pixel units. */
  readonly radius: number;
  /** Keys the noise: another number for every attempt. */
  readonly number: number;
}

export interface SmoothedAttack {
  /** The perturbed images of at most `batch` attempts. */
  run(attempts: readonly Attempt[]): Promise<Float32Array[]>;
  release(): Promise<void>;
}

const STREAM = stringHash('attack on a smoothed classifier');

/** As in the robustness literature: the steps together are so many times as long as the radius. */
const TRAVEL = 2.5;

/** Compiles the step. From a random point of the ball every attempt goes uphill, and ends where its last step led. */
export async function prepareSmoothedAttack(spec: SmoothedAttackSpec): Promise<SmoothedAttack> {
  const { prepare, classifier, draws, steps, batch, seed } = spec;
  const size = elements(classifier.input);
  const images = [batch, ...classifier.input];
  const step = await prepare(
    (x, clean, label, radius, noise) =>
      climb(spec, {
        ...{ x: x as tf.Tensor4D, clean: clean as tf.Tensor4D, noise: noise as tf.Tensor4D },
        ...{ label: label as tf.Tensor1D, radius: radius as tf.Tensor4D },
      }),
    [
      ...[{ shape: images }, { shape: images }, { shape: [batch], dtype: 'int32' }, { shape: [batch, 1, 1, 1] }],
      { shape: [draws * batch, ...classifier.input] },
    ] as const,
    { weights: 'frozen', name: `an attack on smoothed ${classifier.name}` },
  );
  const run = async (attempts: readonly Attempt[]): Promise<Float32Array[]> => {
    if (attempts.length > batch)
      throw new RangeError(`${attempts.length} attempts do not fit into a batch of ${batch}`);
    const clean = new Float32Array(batch * size);
    const label = new Int32Array(batch);
    const radius = new Float32Array(batch);
    const noise = new Float32Array(draws * batch * size);
    let x: Float32Array = new Float32Array(batch * size);
    attempts.forEach((attempt, row) => {
      clean.set(attempt.pixels, row * size);
      label[row] = attempt.label;
      radius[row] = attempt.radius;
      x.set(randomPoint(attempt, seed), row * size);
    });
    for (let iteration = 0; iteration < steps; iteration++) {
      for (let draw = 0; draw < draws; draw++) {
        attempts.forEach(({ number }, row) => {
          const start = (draw * batch + row) * size;
          const key = { seed, image: number, restart: iteration, step: STREAM, draw };
          fillNoise(noise.subarray(start, start + size), key, 'normal');
        });
      }
      x = (await step(x, clean, label, radius, noise)).data as Float32Array;
    }
    return attempts.map((_, row) => x.slice(row * size, (row + 1) * size));
  };
  return { run, release: () => step.release() };
}

/** In a random direction, half a radius away. */
function randomPoint({ pixels, radius, number }: Attempt, seed: number): Float32Array {
  const direction = new Float32Array(pixels.length);
  fillNoise(direction, { seed, image: number, restart: 0, step: STREAM + 1, draw: 0 }, 'normal');
  const length = Math.hypot(...direction);
  return pixels.map((value, i) => value + ((direction[i] as number) * radius) / (2 * length));
}

interface Climb {
  readonly x: tf.Tensor4D;
  readonly clean: tf.Tensor4D;
  readonly label: tf.Tensor1D;
  readonly radius: tf.Tensor4D;
  /** [draws·B, H, W, C] of N(0, I) */
  readonly noise: tf.Tensor4D;
}

/** One step: uphill by `TRAVEL / steps` radii, then back into the ball. */
function climb({ classifier, sigma, draws, steps }: SmoothedAttackSpec, at: Climb): tf.Tensor4D {
  const { x, clean, label, radius, noise } = at;
  const repeat = <T extends tf.Tensor>(tensor: T): T => tf.concat(Array.from({ length: draws }, () => tensor)) as T;
  const loss = (candidate: tf.Tensor): tf.Scalar => {
    const logits = classifier.logits(repeat(candidate as tf.Tensor4D).add(noise.mul(sigma)));
    const losses = crossEntropy(logits, repeat(label)).reshape([draws, -1]);
    return losses.neg().logSumExp(0).neg().sum();
  };
  const gradient = tf.grad(loss)(x) as tf.Tensor4D;
  const { steepest } = ball('L2', { clean, epsilon: radius, noise: () => noise });
  const moved = x.add(steepest(gradient).mul(radius.mul(TRAVEL / steps))).sub(clean) as tf.Tensor4D;
  return clean.add(shorten('L2', moved, radius));
}

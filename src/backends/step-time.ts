/** How long what computes takes to a step of an attack, about: enough to tell backends apart, and no measure of a network. */
import type { Prepare } from '../compile/types.ts';
import { tf } from '../tf.ts';
import { waves } from './waves.ts';

/** A batch of photographs as they are halfway through a small network: its gradient takes 0.23 billion multiplications. */
const SHAPE = [8, 32, 32, 16] as const;
const CHANNELS = 32;

/** An odd number, so that one of them is the median. */
const RUNS = 7;
/** What is slow needs fewer runs to be known for it. */
const ENOUGH_MS = 2000;

/**
 * The median seconds of the gradient of two convolutions and a pool by a batch of images, which goes there and comes back as in
 * an attack. What is done once, such as to translate programs for a graphics processor, is done before.
 */
export async function stepSeconds(prepare: Prepare): Promise<number> {
  const [, , , channels] = SHAPE;
  const first = tf.tensor4d(scaled(3 * 3 * channels * CHANNELS), [3, 3, channels, CHANNELS]);
  const second = tf.tensor4d(scaled(3 * 3 * CHANNELS * CHANNELS), [3, 3, CHANNELS, CHANNELS]);
  const loss = (x: tf.Tensor): tf.Tensor => {
    const features: tf.Tensor4D = tf.conv2d(x as tf.Tensor4D, first, 1, 'same').relu();
    const deeper: tf.Tensor4D = tf.conv2d(features, second, 1, 'same').relu();
    return tf.maxPool(deeper, 2, 2, 'valid').logSumExp();
  };
  const step = await prepare((x) => tf.grad(loss)(x), [{ shape: SHAPE }], { name: 'a gradient to time' });
  try {
    const images = waves(SHAPE.reduce((product, size) => product * size, 1));
    await step(images);
    const times: number[] = [];
    const began = performance.now();
    while (times.length < RUNS && (times.length === 0 || performance.now() - began < ENOUGH_MS)) {
      const before = performance.now();
      await step(images);
      times.push(performance.now() - before);
    }
    return median(times) / 1000;
  } finally {
    await step.release();
    tf.dispose([first, second]);
  }
}

/** Of a size that keeps sums of many products small. */
const scaled = (length: number): Float32Array => waves(length).map((value) => value / Math.sqrt(length));

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

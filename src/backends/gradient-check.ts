/** Whether what computes can be believed: a gradient, beside the one that TensorFlow.js's reference gives. */
import { eager } from '../compile/eager.ts';
import type { HostTensor, Prepare } from '../compile/types.ts';
import { tf } from '../tf.ts';
import { waves } from './waves.ts';

/** Largest relative difference between gradients that float32 rounding explains. */
export const TOLERANCE = 1e-4;

/**
 * The largest difference between the gradients of a small convolutional network, relative to the largest of the reference:
 * NaN where what came is no numbers. TensorFlow.js's own backend is in the end what it was.
 */
export async function gradientDifference(prepare: Prepare): Promise<number> {
  const computed = await gradientBy(prepare);
  const before = tf.getBackend();
  await tf.setBackend('cpu');
  const reference = await gradientBy(eager).finally(() => tf.setBackend(before));
  const largest = Math.max(...reference.data.map(Math.abs));
  return Math.max(...reference.data.map((value, i) => Math.abs(value - (computed.data[i] ?? Number.NaN)))) / largest;
}

const SIDE = 8;
const FILTERS = 4;

/** Convolutions of single pixels, by channels: libraries have ways of their own for them, where no vector's length divides 300. */
const POINTWISE = [
  [FILTERS, 300],
  [300, 50],
] as const;

const pointwise = (from: number, to: number): tf.Tensor4D => tf.tensor4d(waves(from * to), [1, 1, from, to]);

/** Overlapping windows, so that the gradient of the pool has something to add up. */
async function gradientBy(prepare: Prepare): Promise<HostTensor> {
  const filters = tf.tensor4d(waves(3 * 3 * FILTERS), [3, 3, 1, FILTERS]);
  const loss = (x: tf.Tensor): tf.Tensor => {
    const features: tf.Tensor4D = tf.conv2d(x as tf.Tensor4D, filters, 1, 'same').relu();
    const pooled = tf.maxPool(features, 3, 2, 'valid') as tf.Tensor4D;
    return POINTWISE.reduce(
      (maps, [from, to]) => tf.conv2d(maps, pointwise(from, to), 1, 0).relu(),
      pooled,
    ).logSumExp();
  };
  const gradient = await prepare((x) => tf.grad(loss)(x), [{ shape: [2, SIDE, SIDE, 1] }], {
    name: 'a small gradient',
  });
  try {
    return await gradient(waves(2 * SIDE * SIDE));
  } finally {
    await gradient.release();
    filters.dispose();
  }
}

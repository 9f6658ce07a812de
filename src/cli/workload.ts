/** What is run to measure speed, here and in `bench/`. */
import type { Classifier } from '../core/classifier.ts';
import { crossEntropy } from '../core/losses.ts';
import { tf } from '../tf.ts';

/** One Linf step of any attack: forward pass, gradient towards the images [B, H, W, C], sign, step, clip. */
export function attackStep(classifier: Classifier, x: tf.Tensor4D, y: tf.Tensor1D): tf.Tensor {
  const loss = (image: tf.Tensor): tf.Tensor => crossEntropy(classifier.logits(image as tf.Tensor4D), y).sum();
  const step = tf.grad(loss)(x).sign().div(255);
  return x.add(step).clipByValue(0, 1);
}

/** Numbers in [0, 1] for so many pixels, and a label for each image. */
export const examples = (pixels: number, batch: number, classes: number) => ({
  x: Float32Array.from({ length: pixels }, (_, i) => (1 + Math.sin(7 * i)) / 2),
  y: Int32Array.from({ length: batch }, (_, i) => i % classes),
});

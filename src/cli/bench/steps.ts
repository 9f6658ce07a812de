/** What is timed: functions of a network and a batch, and the batch itself. */
import type { Classifier } from '../../core/classifier.ts';
import { crossEntropy } from '../../core/losses.ts';
import { tf } from '../../tf.ts';

/** Images [B, H, W, C] and labels [B] to something that must be computed. */
export type Step = (classifier: Classifier, x: tf.Tensor4D, y: tf.Tensor1D) => tf.Tensor;

export const forwardStep: Step = (classifier, x) => classifier.logits(x);

/** Forward pass, gradient towards the images, sign, step, clip: one step of any attack in Linf. */
export const attackStep: Step = (classifier, x, y) => {
  const loss = (image: tf.Tensor): tf.Tensor => crossEntropy(classifier.logits(image as tf.Tensor4D), y).sum();
  const step = tf.grad(loss)(x).sign().mul(0.01);
  return tf.clipByValue(x.add(step), 0, 1);
};

/** So many values in [0,1], the same ones every time. */
export const benchPixels = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (1 + Math.sin(7 * i)) / 2);

/** Labels of a batch, one class after the other. */
export const benchLabels = (batch: number, classes: number): Int32Array =>
  Int32Array.from({ length: batch }, (_, i) => i % classes);

/**
 * Backward pass differentiable approximation (BPDA): a function as it is on the way forward, and a differentiable stand-in
 * for it on the way back.
 *
 * Athalye, Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 4.1.
 */
import { tf } from '../../tf.ts';

/** What a function of images [B, H, W, C] computes, and what its gradient is taken of. */
export interface Passes<T extends tf.Tensor> {
  /** The real function; it need not be differentiable. */
  forward(x: tf.Tensor4D): T;
  /** Its stand-in, a differentiable function of the same shape; by default the identity, as if images passed unchanged. */
  backward?(x: tf.Tensor4D): T;
}

/**
 * The function whose value is exactly that of `forward` and whose gradient exactly that of `backward`: of images, such as
 * a quantisation, or of logits, such as those of a network that has no gradient. It compiles if both do.
 *
 * @throws Error, when it is called, if the two differ in shape
 */
export function backwardPass<T extends tf.Tensor = tf.Tensor4D>({
  forward,
  backward = (x) => x as tf.Tensor as T,
}: Passes<T>): (x: tf.Tensor4D) => T {
  return (x) => {
    // Only the stand-in is an argument: what is computed inside leaves no trace on the way back.
    const pass = tf.customGrad((standIn: tf.Tensor | tf.GradSaveFunc) => {
      const value = forward(x);
      requireSameShape(value, standIn as tf.Tensor);
      return { value, gradFunc: (upstream: tf.Tensor) => upstream };
    });
    return pass(backward(x)) as T;
  };
}

function requireSameShape(value: tf.Tensor, standIn: tf.Tensor): void {
  if (value.shape.join() === standIn.shape.join()) return;
  const [real, instead] = [value, standIn].map(({ shape }) => `[${shape.join(', ')}]`);
  throw new Error(
    `forward gives ${real} and backward ${instead}: give a backward whose result has the shape of what it stands in for`,
  );
}

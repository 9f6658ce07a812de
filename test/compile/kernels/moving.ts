import { tf } from '../../../src/tf.ts';
import type { Case, Operand } from '../agree.ts';

/** The value itself and, for floats, the gradient of a sum that tells its elements apart. */
const withGradient = (fn: (x: tf.Tensor) => tf.Tensor, { dtype }: Operand): Case['fn'] => {
  if (dtype !== 'float32') return (x) => fn(x as tf.Tensor);
  return (x) => [fn(x as tf.Tensor), tf.grad((t) => fn(t).square())(x as tf.Tensor)];
};

/** One case of a function of one tensor; moving values about loses nothing, gradients add up a few. */
export const moving = (title: string, x: Operand, fn: (x: tf.Tensor) => tf.Tensor): Case => ({
  title: `${title} of ${x.dtype}[${x.shape}]`,
  inputs: [x],
  fn: withGradient(fn, x),
  tolerance: 1e-6,
});

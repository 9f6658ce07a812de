/**
 * Gradient clipping by the global norm, as torch.nn.utils.clip_grad_norm_ defines it:
 *
 *     g ← g · min(1, c / (‖g‖₂ + 10⁻⁶)),   ‖g‖₂ over the gradients of all weights together.
 *
 * Pascanu, Mikolov, Bengio, "On the Difficulty of Training Recurrent Neural Networks", ICML 2013, algorithm 1.
 */
import { tf } from '../tf.ts';

/**
 * The same direction, no longer than `longest`. Weight decay comes later and is not clipped.
 *
 * @param gradients - by the weights' names
 */
export function clipGradients(gradients: tf.NamedTensorMap, longest: number): tf.NamedTensorMap {
  const squares = Object.values(gradients).map((gradient) => gradient.square().sum());
  const length = tf.addN(squares).sqrt();
  const share = tf.scalar(longest).div(length.add(1e-6)).minimum(1);
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, gradient.mul(share)]));
}

/** Computes gradients that are a thousandth too large. */
import { tellOf } from '../../../src/backends/answer.ts';
import { eager } from '../../../src/compile/eager.ts';
import type { Prepare } from '../../../src/compile/types.ts';
import { tf } from '../../../src/tf.ts';

const lying: Prepare = (fn, specs, options) =>
  eager(
    (...tensors) => {
      const honest = fn(...tensors);
      return honest instanceof tf.Tensor ? (honest.mul(1.001) as typeof honest) : honest;
    },
    specs,
    options,
  );

await tellOf(async () => {
  await tf.setBackend('cpu');
  return lying;
});

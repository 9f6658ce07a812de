import { tf } from '../tf.ts';

/** A tensor on its way out of a gradient's scope, which disposes of all that is made inside it but the loss. */
export interface Carried<T extends tf.Tensor> {
  /** Inside: the same tensor, which now outlives the scope. */
  keep(tensor: T): T;
  /** Outside, once: the tensor, owned by the scope that is open now. */
  release(): T;
}

/** @throws Error on `release` if nothing was kept */
export function carried<T extends tf.Tensor>(): Carried<T> {
  let kept: T | undefined;
  return {
    keep: (tensor) => {
      kept = tf.keep(tensor);
      return kept;
    },
    release: () => {
      if (kept === undefined) throw new Error('no tensor was kept');
      const owned = kept.clone();
      kept.dispose();
      return owned;
    },
  };
}

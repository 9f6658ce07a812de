import standard from '../../defenses/standard.ts';
import { type Defense, defineDefense } from '../../src/core/defense.ts';
import { tf } from '../../src/tf.ts';

/**
 * A training that after so many batches begins to unlearn what it learned: a collapse to order. It says that it trains against
 * an adversary. For eager computation only, where the loss is made anew for every batch.
 */
export function unlearnAfter(batches: number): Defense {
  // The rehearsal is the first call.
  let batch = -1;
  return defineDefense({
    ...standard,
    name: 'unlearning',
    adversarial: true,
    trainingLoss: (context) => (model) => {
      const { loss, logits } = standard.trainingLoss?.(context)(model) ?? {
        loss: tf.scalar(0),
        logits: tf.zeros([1, 1]),
      };
      const sign = batch++ < batches ? 1 : -1;
      return { loss: loss.mul(sign) as tf.Scalar, logits: logits as tf.Tensor2D };
    },
  });
}

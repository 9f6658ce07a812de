/**
 * The polyhedron that an image's true class has where the network is taken for linear, as DeepFool sees it
 * (Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool: a simple and accurate method to fool deep neural networks", CVPR 2016).
 */
import { tf } from '../tf.ts';
import type { AttackContext, Loss } from './attack.ts';
import { sumOf, TINY } from './ball.ts';
import { column } from './column.ts';
import { lead } from './losses.ts';

/** Farther than any face, above any logit. */
const FAR = 1e30;

/** The wrong classes that the logits [B, K] put first, as many as there are of `classes` with the true one: int32 [B, k]. */
export function rivalsOf(logits: tf.Tensor2D, label: tf.Tensor1D, classes: number): tf.Tensor2D {
  const others = logits.sub(tf.oneHot(label, logits.shape[1]).toFloat().mul(FAR));
  return tf.topk(others, Math.min(classes, logits.shape[1]) - 1).indices as tf.Tensor2D;
}

/** By how much each of the rivals leads over the true class. */
export const leadsOf = (rivals: tf.Tensor, label: tf.Tensor1D): Loss[] =>
  tf.split(rivals, rivals.shape[1] as number, 1).map(
    (k): Loss =>
      (logits) =>
        lead(logits, k.squeeze([1]), label),
  );

/** The way from x to the nearest of the faces where a loss is zero, [B, H, W, C]: the shortest in the ball's norm. */
export function toNearestFace(
  x: tf.Tensor4D,
  losses: readonly Loss[],
  { ball, valueAndGradient }: Pick<AttackContext, 'ball' | 'valueAndGradient'>,
): tf.Tensor4D {
  const faces = losses.map((loss) => {
    const { value, gradient } = valueAndGradient(x, loss);
    const direction = ball.steepest(gradient);
    // ⟨w, steepest(w)⟩ is the dual norm.
    const slope = sumOf(gradient.mul(direction));
    return { direction, distance: column(value.abs()).div(slope.maximum(TINY)).minimum(FAR) as tf.Tensor4D };
  });
  const { direction, distance } = faces.reduce((best, face) => {
    const isNearer = face.distance.less(best.distance);
    return {
      direction: tf.where(isNearer, face.direction, best.direction),
      distance: tf.where(isNearer, face.distance, best.distance),
    };
  });
  return direction.mul(distance);
}

import type { tf } from '../tf.ts';

/** One value per image, [B], in the shape that broadcasts over images: [B, 1, 1, 1]. */
export const column = (perImage: tf.Tensor): tf.Tensor4D => perImage.reshape([-1, 1, 1, 1]);

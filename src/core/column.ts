/** One value per image. */
import { tf } from '../tf.ts';

/** [B], in the shape that broadcasts over images: [B, 1, 1, 1]. */
export const column = (perImage: tf.Tensor): tf.Tensor4D => perImage.reshape([-1, 1, 1, 1]);

/** False of every image: bool [B]. */
export const none = (images: tf.Tensor4D): tf.Tensor1D => tf.zeros([images.shape[0]], 'bool');

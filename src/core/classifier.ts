import type { tf } from '../tf.ts';

/** The shape of one image: height, width, channels. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** What an attack may see of a model. Normalisation is inside. */
export interface Classifier {
  readonly name: string;
  readonly classes: number;
  readonly input: ImageShape;
  /** Images [B, H, W, C] in [0,1] to logits [B, classes], in inference mode: each image on its own. */
  logits(x: tf.Tensor4D): tf.Tensor2D;
}

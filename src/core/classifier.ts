import type { tf } from '../tf.ts';

/** The shape of one image: height, width, channels. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** What a network does to an image first: (x - mean) / std for each channel, pixels being in [0,1]. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** `bgr` hands the normalised channels over in reverse order, as networks born in Caffe expect them. */
  readonly order?: 'bgr' | undefined;
}

/** What an attack may see of a model. Normalisation is inside. */
export interface Classifier {
  readonly name: string;
  readonly classes: number;
  readonly input: ImageShape;
  /** Images [B, H, W, C] in [0,1] to logits [B, classes], in inference mode: each image on its own. */
  logits(x: tf.Tensor4D): tf.Tensor2D;
}

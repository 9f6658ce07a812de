import type { Classifier } from '../core/classifier.ts';
import { tf } from '../tf.ts';

/** Mean and deviation of each channel, in pixel units. */
export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Images [B, H, W, C] in [0,1] as the network wants them: (x - mean) / std for each channel. */
export const normalise = (x: tf.Tensor4D, { mean, std }: Normalisation): tf.Tensor4D =>
  tf.tidy(() => x.sub(tf.tensor1d([...mean])).div(tf.tensor1d([...std])));

/** What an attack may see of a model: normalisation inside, inference mode. */
export const classifierOf = (
  name: string,
  { input, classes, normalisation }: Pick<Classifier, 'input' | 'classes'> & { readonly normalisation: Normalisation },
  model: tf.LayersModel,
): Classifier => ({
  name,
  classes,
  input,
  logits: (x) => tf.tidy(() => model.apply(normalise(x, normalisation), { training: false }) as tf.Tensor2D),
});

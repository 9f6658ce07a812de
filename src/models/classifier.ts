import type { Classifier, Normalisation } from '../core/classifier.ts';
import { tf } from '../tf.ts';

/** Images [B, H, W, C] in [0,1] as the network wants them. */
export const normalise = (x: tf.Tensor4D, { mean, std, order }: Normalisation): tf.Tensor4D =>
  tf.tidy(() => {
    const normalised: tf.Tensor4D = x.sub(tf.tensor1d([...mean])).div(tf.tensor1d([...std]));
    return order === 'bgr' ? normalised.reverse(3) : normalised;
  });

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

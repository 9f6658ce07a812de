import type { tf } from '../../tf.ts';
import type { Classifier } from '../classifier.ts';

/**
 * The classifier behind a preprocessing step: what it sees is `transform(x)`.
 *
 * @param transform - images [B, H, W, C] in [0,1] to images of the same shape, each on its own; its gradient is the one that
 *   attacks follow, so one that has none, or a misleading one, is given a stand-in by `backwardPass`
 */
export const preprocess = (classifier: Classifier, transform: (x: tf.Tensor4D) => tf.Tensor4D): Classifier => ({
  ...shownAs(classifier),
  logits: (x) => classifier.logits(transform(x)),
});

/** What a wrapped classifier says of itself: all that the classifier does. */
export const shownAs = ({ name, classes, input }: Classifier): Omit<Classifier, 'logits'> => ({ name, classes, input });

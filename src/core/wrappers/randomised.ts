import type { Classifier } from '../classifier.ts';
import type { Defended, Seeds } from '../defense.ts';
import { expectationOverTransformation, type RandomTransform } from './expectation-over-transformation.ts';

/** How often a defense's randomness is drawn. */
export interface Counts {
  /** Draws whose logits make an answer by their mean. */
  readonly answers: number;
  /** Other draws, over which the adversary takes the mean. */
  readonly draws: number;
}

/**
 * The classifier behind a random transform. What answers and what the adversary looks at are two samples of it that share no
 * draw: what fools the one counts only as far as it fools the other.
 *
 * @throws UserError (usage) if a count is no whole number above 0
 */
export const randomised = (
  classifier: Classifier,
  transform: RandomTransform['transform'],
  { answers, draws }: Counts,
  seeds: Seeds,
): Defended => ({
  classifier: expectationOverTransformation(classifier, { transform, draws: answers, seed: seeds.answer }),
  adversary: expectationOverTransformation(classifier, { transform, draws, seed: seeds.adversary }),
});

/**
 * Standard training: the mean cross-entropy of the clean images. No defense, but what every defense is compared with.
 *
 * Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to Statistical
 * Pattern Recognition", Neurocomputing, NATO ASI F68, 1990.
 */
import { defineDefense } from '../src/core/defense.ts';

export default defineDefense({
  name: 'standard',
  title: 'Standard training',
  paper: 'https://doi.org/10.1007/978-3-642-76153-9_28',
  adversarial: false,
  params: {},
  trainingLoss:
    ({ x, crossEntropy }) =>
    (model) => {
      const logits = model(x);
      return { loss: crossEntropy(logits).mean(), logits };
    },
});

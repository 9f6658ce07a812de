/**
 * Where the textbook form of the cross-entropy, -log p_y with the gradient p - 1_y towards the logits, gives out in float32.
 *
 * From a margin of about 17 on p_y rounds to 1, and the entry p_y - 1 to 0: what is left pulls towards other classes, but no
 * longer away from the true one, and where probabilities are clipped before the logarithm, as Keras clips them to
 * [10⁻⁷, 1 - 10⁻⁷], nothing at all is left. `crossEntropy` of this program keeps the entry, being written without p_y.
 *
 * Carlini, Wagner, "Defensive Distillation is Not Robust to Adversarial Examples", 2016, made attacks fail in this way;
 * Croce, Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks", ICML 2020,
 * section 4, show what it does to numbers.
 */

/** Whether p_y rounds to 1. Logits that are no numbers saturate nothing: they have failed for themselves. */
export function saturates(logits: Float32Array, label: number): boolean {
  if (!logits.every(Number.isFinite)) return false;
  const own = logits[label] as number;
  const others = logits.reduce((sum, z, k) => (k === label ? sum : sum + Math.exp(z - own)), 0);
  return Math.fround(1 / (1 + others)) === 1;
}

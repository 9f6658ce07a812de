/**
 * Median smoothing: each pixel becomes the median of the k × k pixels around it, channel by channel, edges mirrored. Of an even
 * k the neighbourhood reaches one pixel farther up and left, and of the two pixels in the middle the larger is taken, as
 * scipy's `median_filter` does, which the paper uses.
 *
 * Xu, Evans, Qi, "Feature Squeezing: Detecting Adversarial Examples in Deep Neural Networks", NDSS 2018, section III-B (k = 2
 * and 3).
 *
 * The median has a subgradient, which the adversary follows: it leads to the pixel that is the median, and to no other.
 */
import { defineDefense } from '../src/core/defense.ts';
import { medianFilter } from '../src/core/median-filter.ts';
import { p } from '../src/core/params.ts';
import { preprocess } from '../src/core/wrappers/preprocess.ts';

export default defineDefense({
  name: 'median',
  title: 'Median smoothing',
  paper: 'https://arxiv.org/abs/1704.01155',
  params: {
    size: p.integer(2, 'side k of the neighbourhood, in pixels', { min: 1, max: 7 }),
  },
  adversary: "the median's own subgradient",
  wrap: (classifier, { size }) => ({ classifier: preprocess(classifier, (x) => medianFilter(x, size)) }),
});

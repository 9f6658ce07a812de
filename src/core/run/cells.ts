/** The boxes of the grid, and the worst case of each network and radius. */
import { z } from 'zod';
import { count, interval, json, radius, share } from './fields.ts';

const goal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('untargeted') }),
  z.object({ kind: z.literal('targeted'), target: count }),
]);

/** One measured box of the grid: architecture × training × attack × norm × epsilon. */
export const cell = z.object({
  arch: z.string(),
  training: z.string(),
  dataset: z.string(),
  attack: z.string(),
  params: z.record(z.string(), json),
  ...radius,
  goal,
  restarts: count,
  images: count.min(1),
  /** Images classified correctly before the attack, and after it, as counts: exact where shares are rounded. */
  cleanCorrect: count,
  robustCorrect: count,
  robustCorrect8bit: count,
  cleanAccuracy: share,
  robustAccuracy: share,
  /**
   * Robust accuracy when every adversarial image is first rounded to 8 bits a channel, as a PNG would: each pixel to its
   * nearest level. The network is asked again, the ball is not: the rounded image may lie outside by half a level a pixel.
   */
  robustAccuracy8bit: share,
  /** Wilson score interval of `robustAccuracy` at 95 %. */
  wilson95: interval,
  cleanWilson95: interval,
  /** Per-image gradient evaluations and forward passes spent by the attack, summed over the images. */
  gradients: count,
  forwards: count,
  /** Claims of the attack that the separate verification pass did not confirm, and candidates whose logits are no numbers. */
  unverified: count,
  seconds: z.number().min(0),
});

/** What of a box disagrees with its other numbers, as the field's name and why; undefined if nothing does. */
export function contradiction(box: z.infer<typeof cell>): readonly [field: string, why: string] | undefined {
  const { images, cleanCorrect, robustCorrect, robustCorrect8bit } = box;
  if (cleanCorrect > images) return ['cleanCorrect', `${cleanCorrect} of ${images} images`];
  if (robustCorrect > cleanCorrect) return ['robustCorrect', `more than the ${cleanCorrect} that were correct before`];
  if (robustCorrect8bit > cleanCorrect)
    return ['robustCorrect8bit', `more than the ${cleanCorrect} that were correct before`];
  const shares = [
    ['cleanAccuracy', box.cleanAccuracy, cleanCorrect],
    ['robustAccuracy', box.robustAccuracy, robustCorrect],
    ['robustAccuracy8bit', box.robustAccuracy8bit, robustCorrect8bit],
  ] as const;
  const wrong = shares.find(([, accuracy, correct]) => Math.abs(accuracy * images - correct) > 1e-3);
  return wrong && [wrong[0], `it is not ${wrong[2]} of ${images} images`];
}

/**
 * Worst case over the run's attacks: an image counts as robust only if it withstood every one of them. So this is the mean
 * over images of the minimum over attacks, never above the lowest cell.
 */
export const worstCase = z.object({
  arch: z.string(),
  training: z.string(),
  ...radius,
  /** The attacks taken together, by name; baselines that aim at nothing (access `none`) count too. */
  attacks: z.array(z.string()).min(1),
  images: count.min(1),
  robustCorrect: count,
  robustCorrect8bit: count,
  robustAccuracy: share,
  robustAccuracy8bit: share,
  /** Wilson score interval of `robustAccuracy` at 95 %. */
  wilson95: interval,
});

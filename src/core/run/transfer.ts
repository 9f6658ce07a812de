/** What images made against one network do to another. */
import { z } from 'zod';
import { count, interval, network, radius, share } from './fields.ts';

/**
 * What an attack made against one network of the run, tried on another; on the same one, for comparison, too. The images are
 * those that both classify correctly without attack. Pairs that have none are left out.
 */
export const transfer = z.object({
  source: network,
  target: network,
  attack: z.string(),
  ...radius,
  images: count.min(1),
  /** How many of them fool the target. */
  fooled: count,
  /** How many fool the target when they are made against itself by the same attack at the same radius. */
  whiteBoxFooled: count,
  /** Share of the images that do not fool the target. */
  accuracy: share,
  /** Wilson score interval of `accuracy` at 95 %. */
  wilson95: interval,
});

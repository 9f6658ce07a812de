/** What holds of a network whatever the attack. */
import { z } from 'zod';
import { count, interval, share } from './fields.ts';

/** What randomized smoothing certifies of a network at one level of noise: a lower bound, whatever the attack. */
export const certificates = z.object({
  arch: z.string(),
  training: z.string(),
  /** Standard deviation of the Gaussian noise, in pixel units. */
  sigma: z.number().positive(),
  /** Noisy copies of every image by which its class is chosen, and by which its probability is bounded: n₀ and n. */
  selectionSamples: count.min(1),
  samples: count.min(1),
  /** The probability with which the radius of an image may be too large. */
  alpha: z.number().gt(0).lt(1),
  images: count.min(1),
  /** Images of which nothing is said: no class was likely enough. */
  abstained: count,
  /** Certified radius in L2, averaged over the images; 0 where the class is wrong or there is none. */
  averageRadius: z.number().min(0),
  /** Images that are certified at a radius, and with the right class: by ascending radius in pixel units, from 0. */
  accuracies: z
    .array(
      z.object({
        radius: z.number().min(0),
        correct: count,
        accuracy: share,
        /** Wilson score interval of `accuracy` at 95 %: the images are a sample too. */
        wilson95: interval,
      }),
    )
    .min(1),
  /** Image by image, in the run's order. */
  values: z
    .array(
      z.object({
        label: count,
        /** The class that was chosen, and how many of the copies were taken for it. */
        selected: count,
        votes: count,
        /** The certified radius; null where it abstains. */
        radius: z.number().min(0).nullable(),
      }),
    )
    .min(1),
  /** Forward passes of single images. */
  forwards: count,
  seconds: z.number().min(0),
});

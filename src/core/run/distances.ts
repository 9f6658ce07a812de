/** How far from each image the nearest adversarial one is. */
import { z } from 'zod';
import { NORMS } from '../threat-model.ts';

/** What an attack of minimum norm found on a network: how far from every image the nearest adversarial one is. */
export const distances = z.object({
  arch: z.string(),
  training: z.string(),
  attack: z.string(),
  norm: z.enum(NORMS),
  /** Median over the images; null where none was found for half of them or more. */
  median: z.number().min(0).nullable(),
  /** Image by image, in the run's order: 0 where it is misclassified as it is, null where none was found. */
  values: z.array(z.number().min(0).nullable()).min(1),
});

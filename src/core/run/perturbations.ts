/** How large perturbations are. */
import { z } from 'zod';
import { count, radius, share } from './fields.ts';

/** Shares of the images at which a spread is given: none, one in twenty, and so on to all. */
export const QUANTILES = Array.from({ length: 21 }, (_, i) => i / 20);

/** What an attack made of a network's images at one radius, whether they fell to it or not. */
export const perturbations = z
  .object({
    arch: z.string(),
    training: z.string(),
    attack: z.string(),
    ...radius,
    /** Images attacked at this radius: those that had fallen at a smaller one are not. */
    images: count.min(1),
    /** How many of them fell. */
    fooled: count,
    /** L2 norm of the perturbation in pixel units: that of no image, of one in twenty, ... of all is at most this. */
    l2: z.array(z.number().min(0)).length(QUANTILES.length),
    /** In Linf, share of an image's values that are moved by the whole radius, up or down: the same. */
    atBound: z.array(share).length(QUANTILES.length).optional(),
  })
  .refine(({ images, fooled }) => fooled <= images, { path: ['fooled'], error: 'no more can fall than are attacked' });

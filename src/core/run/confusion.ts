/** Where networks break. */
import { z } from 'zod';
import { count, radius } from './fields.ts';

/** Up to so many classes, it is told of each how many images of it were attacked. */
export const FEW_CLASSES = 20;

/** What adversarial images of one network, attack and radius are taken for. */
export const confusion = z
  .object({
    arch: z.string(),
    training: z.string(),
    attack: z.string(),
    ...radius,
    /** Images that the network classifies correctly without attack, and those of them that fell. */
    images: count.min(1),
    fooled: count,
    /** From the true class to that of the adversarial image, the most frequent first. Of many classes, the first of them alone. */
    flips: z.array(
      z.object({
        from: count,
        to: count,
        images: count.min(1),
        /** Images of the true class that the network classifies correctly without attack. */
        of: count.min(1),
      }),
    ),
    /** The same of every class, in order; where there are many classes, absent. */
    attacked: z.array(count).max(FEW_CLASSES).optional(),
  })
  .refine(
    ({ flips, attacked }) =>
      attacked === undefined || flips.every(({ from, to }) => from < attacked.length && to < attacked.length),
    { path: ['flips'], error: 'a flip is from one of the classes to another' },
  )
  .refine(({ images, fooled }) => fooled <= images, { path: ['fooled'], error: 'no more can fall than are attacked' })
  .refine(
    ({ fooled, flips, attacked }) => {
      const told = sum(flips.map(({ images }) => images));
      return attacked === undefined ? told <= fooled : told === fooled;
    },
    { path: ['fooled'], error: 'every image that fell is in one flip; of many classes some are told of' },
  )
  .refine(({ images, attacked }) => attacked === undefined || sum(attacked) === images, {
    path: ['attacked'],
    error: 'the images of all classes are those attacked',
  })
  .refine(({ flips, attacked }) => flips.every(({ from, of }) => attacked === undefined || attacked[from] === of), {
    path: ['flips'],
    error: 'a flip is one of as many images as there are of its class',
  });

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

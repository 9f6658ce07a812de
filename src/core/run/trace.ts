/** The course of attacks: what they had reached after so many steps. */
import { z } from 'zod';
import { count, radius } from './fields.ts';

const loss = z.array(z.number().nullable());

/** What an attack of several steps did to a network at one radius, by the number of its steps. */
export const trace = z
  .object({
    arch: z.string(),
    training: z.string(),
    attack: z.string(),
    ...radius,
    /** Images that the network classifies correctly without attack. */
    images: count.min(1),
    /** Those of them that had fallen at a smaller radius: this ball holds the same adversarial images. */
    before: count,
    /** Steps taken, those of all tries and stages one after another: ascending, from 0 to all. */
    steps: z.array(count).min(2),
    /** Images that have fallen within so many steps, those that had before included. */
    fooled: z.array(count),
    /**
     * The margin towards the goal: the best wrong logit minus the true one, or the target's minus the best other. Above 0 an
     * image has fallen; then, and where it was attacked no more, it keeps its last value. Null where nobody has one.
     */
    loss: z
      .object({
        /** Of how many images: the first of those attacked at this radius. */
        images: count.min(1),
        /** One image in ten is below, one half, nine in ten. */
        low: loss,
        median: loss,
        high: loss,
      })
      .optional(),
  })
  .refine(
    ({ steps, fooled, loss: of }) =>
      [fooled, of?.low, of?.median, of?.high].every((list) => list === undefined || list.length === steps.length),
    { path: ['steps'], error: 'every curve has as many values as there are steps' },
  )
  .refine(({ steps }) => steps.every((step, i) => i === 0 || step > (steps[i - 1] as number)), {
    path: ['steps'],
    error: 'steps ascend',
  })
  .refine(
    ({ fooled, images }) => fooled.every((of, i) => of <= images && (i === 0 || of >= (fooled[i - 1] as number))),
    { path: ['fooled'], error: 'who has fallen stays fallen, and no more can than there are' },
  )
  .refine(({ before, fooled: [first = 0] }) => before <= first, {
    path: ['before'],
    error: 'who had fallen before has fallen from the start',
  })
  .refine(({ images, before, loss: of }) => of === undefined || of.images <= images - before, {
    path: ['loss', 'images'],
    error: 'the loss is that of images attacked at this radius',
  });

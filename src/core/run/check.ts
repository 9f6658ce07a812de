/** The sanity panel. */
import { z } from 'zod';
import { paper } from './fields.ts';

/** One check of the sanity panel. */
export const check = z.object({
  name: z.string(),
  verdict: z.enum(['pass', 'warn', 'fail', 'not-run']),
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  why: z.string(),
  link: paper.optional(),
});

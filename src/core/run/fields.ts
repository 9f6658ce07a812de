/** What the parts of `run.json` have in common. */
import { z } from 'zod';
import { isRadius, RADIUS, THREATS, type Threat } from '../threat-model.ts';

export const share = z.number().min(0).max(1);
export const count = z.number().int().min(0);
/** A 95 % interval of a share. */
export const interval = z.tuple([share, share]);
/** SHA-256 of a file of the user's own from which something comes, in hex; absent for what the program brings. */
export const ownSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .optional();
export const json: z.ZodType<unknown> = z.unknown();

/** The threat model of a row. */
export const radius = { norm: z.enum(THREATS), epsilon: z.number().min(0) };
export const radiusFits = ({ norm, epsilon }: { norm: Threat; epsilon: number }): boolean => isRadius(norm, epsilon);
export const radiusRule = { path: ['epsilon'], error: RADIUS };

/** A network of the run, by its names. */
export const network = z.object({ arch: z.string(), training: z.string() });

export const paper = z.url({ protocol: /^https$/ });

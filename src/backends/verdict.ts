/** What came of trying a backend. */
import { z } from 'zod';
import { BACKEND_NAMES } from './names.ts';
import { differs } from './open.ts';

const backend = z.enum(BACKEND_NAMES);

export const verdict = z.discriminatedUnion('state', [
  /** Its small gradient agrees with the reference's. */
  z.object({
    ...{ state: z.literal('works'), backend },
    difference: z.number().min(0).describe('largest difference of a small gradient, relative to its largest entry'),
    stepSeconds: z.number().min(0).describe('median time of a larger gradient'),
  }),
  /** Its small gradient agrees, and the larger one took longer than it was given. */
  z.object({ state: z.literal('slow'), backend, difference: z.number().min(0), seconds: z.number() }),
  /** It computes, and something else. */
  z.object({
    ...{ state: z.literal('wrong'), backend },
    difference: z.number().nullable().describe('null: what it gave is no numbers'),
  }),
  /** It says itself that it cannot. */
  z.object({ state: z.literal('unavailable'), backend, why: z.string() }),
  /** It said nothing in time, and was ended. */
  z.object({ state: z.literal('hung'), backend, seconds: z.number() }),
  /** Its process ended without an answer. */
  z.object({ state: z.literal('crashed'), backend, why: z.string() }),
]);

export type Verdict = z.infer<typeof verdict>;
export type Working = Extract<Verdict, { state: 'works' }>;

export const isWorking = (one: Verdict): one is Working => one.state === 'works';

/** Why it is not to be used: `crashed (SIGSEGV)`. */
export function verdictInWords(one: Exclude<Verdict, Working>): string {
  switch (one.state) {
    case 'slow':
      return `works, too slowly to be timed within ${one.seconds} s`;
    case 'wrong':
      return `computes something else (${differs(one.difference ?? Number.NaN)})`;
    case 'unavailable':
      return `does not work here (${one.why})`;
    case 'hung':
      return `gives no answer within ${one.seconds} s`;
    case 'crashed':
      return `crashes (${one.why})`;
  }
}

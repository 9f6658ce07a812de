/** What a process that tries a backend tells whoever started it: lines of JSON on stdout, whatever else stands there. */
import { z } from 'zod';
import type { Prepare } from '../compile/types.ts';
import { gradientDifference, TOLERANCE } from './gradient-check.ts';
import { reasonOf } from './reason.ts';
import { stepSeconds } from './step-time.ts';

const answer = z.union([
  z.object({
    difference: z.number().min(0).nullable(),
    /** Only of what computes the right thing, and once it is known. */
    stepSeconds: z.number().min(0).optional(),
  }),
  z.object({ unavailable: z.string() }),
]);

export type Answer = z.infer<typeof answer>;

/**
 * Tries what computes: nothing is thrown, since not to work is an answer.
 *
 * @param onChecked - told that it computes the right thing, before it is timed
 */
async function answerOf(open: () => Promise<Prepare>, onChecked: (answer: Answer) => void): Promise<Answer> {
  try {
    const prepare = await open();
    const difference = await gradientDifference(prepare);
    if (!(difference <= TOLERANCE)) return { difference: Number.isFinite(difference) ? difference : null };
    onChecked({ difference });
    return { difference, stepSeconds: await stepSeconds(prepare) };
  } catch (error) {
    return { unavailable: reasonOf(error) };
  }
}

/** Tries it, tells what comes of it, and ends the process: a graphics driver may keep it alive. */
export async function tellOf(open: () => Promise<Prepare>): Promise<void> {
  const tell = (said: Answer, then?: () => void): void => {
    process.stdout.write(`${JSON.stringify(said)}\n`, then);
  };
  tell(await answerOf(open, tell), () => process.exit());
}

/** The last line that is an answer: drivers write to stdout, too. */
export function answerIn(stdout: string): Answer | undefined {
  for (const line of stdout.split('\n').toReversed()) {
    try {
      const { success, data } = answer.safeParse(JSON.parse(line));
      if (success) return data;
    } catch {
      // No JSON.
    }
  }
  return undefined;
}

/** What an attack of the user's own throws is a mistake that the user can mend: one line that names the file. */
import { DrawnWhileCompiling } from '../compile/recorder.ts';
import { messageOf, UserError } from '../core/errors.ts';
import type { PlannedStage } from './plan.ts';

/**
 * Does work in which the attack's code runs.
 *
 * @param what - the work, for the error: `cannot be compiled`
 * @throws UserError for whatever an attack from a file of the user's own throws; the program's own attacks throw as they are
 */
export async function blame<T>({ file }: PlannedStage, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (file === undefined) throw error;
    if (error instanceof UserError) throw new UserError(`${file}: ${error.message}`, error.kind);
    throw new UserError(`${file} ${what}: ${faultOf(error)}`);
  }
}

const faultOf = (error: unknown): string =>
  error instanceof DrawnWhileCompiling
    ? `${error.fault}. Take them from context.noise`
    : (messageOf(error).split('\n')[0] ?? '');

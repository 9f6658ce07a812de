/** What the code of a user's own throws is a mistake that the user can mend: one line that names the file. */
import { messageOf, UserError } from './errors.ts';

/**
 * Does work in which an attack's or a defense's code runs.
 *
 * @param owner - whose code it is: `file` is that of the user's own from which it comes
 * @param what - the work, for the error: `cannot be compiled`
 * @throws UserError for whatever the code of a user's file throws; the program's own throws as it is
 */
export async function blame<T>(
  { file }: { readonly file?: string | undefined },
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (file === undefined) throw error;
    if (error instanceof UserError) throw new UserError(`${file}: ${error.message}`, error.kind);
    throw new UserError(`${file} ${what}: ${faultOf(error)}`);
  }
}

/** Of random numbers that the compiler met, what is wrong without its advice, which is for its own callers. */
const faultOf = (error: unknown): string =>
  error instanceof Error && error.name === 'DrawnWhileCompiling' && 'fault' in error
    ? `${error.fault}. Take them from context.noise`
    : (messageOf(error).split('\n')[0] ?? '');

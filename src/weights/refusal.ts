/** How readers of weights refuse a file: one line that names it, says why, and what to do. */
import { UserError } from '../core/errors.ts';

/** The error for a reason, about a file that is known already. */
export type Refuse = (why: string) => UserError;

export const refusalOf =
  (path: string): Refuse =>
  (why) =>
    new UserError(`${path} is not a whole PyTorch file: ${why}. Copy, download or save it again`);

/** A name out of a file, made safe for a line of text. */
export const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

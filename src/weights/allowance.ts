/** How much memory reading one file may take. */
import type { UserError } from '../core/errors.ts';

/** Takes note of bytes that are about to be allocated. */
export type Allowance = (bytes: number) => void;

/** What any file may take, however small it is. */
const FLOOR = 64 * 2 ** 20;
/** Compressed weights grow by less than two, and one more copy is made of a tensor whose values do not lie in order. */
const FACTOR = 4;

/**
 * An allowance in proportion to the file: one that claims to hold, repeats or compresses far more than it weighs is refused
 * before its claim is believed.
 */
export function allowanceFor(fileBytes: number, refuse: (why: string) => UserError): Allowance {
  const limit = FLOOR + FACTOR * fileBytes;
  let spent = 0;
  return (bytes) => {
    spent += bytes;
    if (spent > limit) throw refuse(`its ${fileBytes} bytes would unfold into more than ${limit}`);
  };
}

import { UserError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Named } from './source.ts';

/** How rows of several runs become one list. */
export interface Rows<T> {
  readonly of: (run: Run) => readonly T[] | undefined;
  /** What a row is about: two of the same must say the same. */
  readonly key: (row: T) => unknown;
  /** What it says of that. */
  readonly says: (row: T) => unknown;
  /** What it is about, in words. */
  readonly name: (row: T) => string;
  /** What it says, in words. */
  readonly words: (row: T) => string;
  /** What to do where two runs disagree. */
  readonly remedy?: string;
}

const REMEDY = 'They must come from other versions or machines: measure one of them again';

/**
 * All rows, in the order of the runs, each once.
 *
 * @throws UserError naming a row of which two runs say other things, and their files
 */
export function union<T>(sources: readonly Named[], { of, key, says, name, words, remedy = REMEDY }: Rows<T>): T[] {
  const found = new Map<string, { readonly row: T; readonly from: Named }>();
  for (const from of sources) {
    for (const row of of(from.run) ?? []) {
      const about = JSON.stringify(key(row));
      const known = found.get(about);
      if (known === undefined) found.set(about, { row, from });
      else if (JSON.stringify(says(known.row)) !== JSON.stringify(says(row))) {
        throw new UserError(
          `${known.from.path} and ${from.path} disagree on ${name(row)}: ${words(known.row)}; ${words(row)}. ${remedy}`,
        );
      }
    }
  }
  return [...found.values()].map(({ row }) => row);
}

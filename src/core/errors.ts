/**
 * An error that the user caused and can mend. Its message says what is wrong, where, and what to do; the command line
 * prints it alone, without a stack. `kind` decides the exit code: `usage` 2, `failed` 1.
 */
export class UserError extends Error {
  readonly kind: 'usage' | 'failed';

  constructor(message: string, kind: 'usage' | 'failed' = 'failed') {
    super(message);
    this.name = 'UserError';
    this.kind = kind;
  }
}

/** A wrong word on the command line or in a config file: exit code 2. */
export const usageError = (message: string): UserError => new UserError(message, 'usage');

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Letters of a word that is taken for the beginning of another. */
const LEAST_BEGINNING = 3;

/** More known names than these are not listed: a thousand classes would bury the line. */
const LISTED_NAMES = 40;

/** `unknown attack "fsgm". Did you mean "fgsm"? Known: fgsm, noise, pgd` */
export function unknownName(what: string, name: string, known: readonly string[]): UserError {
  const near = closest(name, known);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  const listed = known.slice(0, LISTED_NAMES).join(', ');
  const more = known.length > LISTED_NAMES ? `, and ${known.length - LISTED_NAMES} more` : '';
  return usageError(`unknown ${what} "${name}".${hint} Known: ${listed}${more}`);
}

/** The known word at the smallest edit distance, if it is close enough to be what was meant; else the only one that begins so. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3))) return best.candidate;
  const [longer, ...others] = known.filter((candidate) => candidate.toLowerCase().startsWith(word.toLowerCase()));
  return word.length >= LEAST_BEGINNING && others.length === 0 ? longer : undefined;
}

/** Damerau–Levenshtein distance (optimal string alignment): insertions, deletions, substitutions, neighbours swapped. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? at(i - 2, j - 2) + 1
          : Number.POSITIVE_INFINITY;
      const row = rows[i];
      if (row !== undefined) row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, substitution, swap);
    }
  }
  return at(a.length, b.length);
}

import type { SkippedFile } from '../core/dataset.ts';
import { printable } from '../report/html.ts';

/**
 * `left out 2 files that gave no image: a.jpg (it is damaged), b.jpg (...)`
 *
 * @param where - where the rest is named, if it is: `in run.json`
 */
export function leftOut(skipped: readonly SkippedFile[], where = ''): string {
  const named = skipped.slice(0, 5).map(({ id, why }) => printable(`${id} (${why})`));
  const more =
    skipped.length > named.length ? `, and ${skipped.length - named.length} more${where && ` ${where}`}` : '';
  const files = skipped.length === 1 ? '1 file' : `${skipped.length} files`;
  return `left out ${files} that gave no image: ${named.join(', ')}${more}`;
}

import type { Run } from '../core/run.ts';
import { groupBy } from './slice.ts';

type Known = Pick<Run['architectures'][number], 'title' | 'published'>;

/**
 * Where published accuracies come from, those of most architectures first: `torchvision, IMAGENET1K_V1; of MobileNet V1:
 * Howard et al. 2017, table 8`. Empty where nothing is published.
 */
export function accuracySources(
  architectures: readonly { readonly title: string; readonly published?: Known['published'] }[],
): string {
  const told = architectures.flatMap(({ title, published }) =>
    published === undefined ? [] : [{ title, source: published.source }],
  );
  const groups = [...groupBy(told, ({ source }) => source)].sort(([, a], [, b]) => b.length - a.length);
  return groups
    .map(([source, group], i) => (i === 0 ? source : `of ${group.map(({ title }) => title).join(', ')}: ${source}`))
    .join('; ');
}

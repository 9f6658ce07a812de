import type { GalleryItem, Run } from '../core/run.ts';
import { groupBy } from './slice.ts';

/**
 * The run with as many gallery rows as fit into `budget` bytes of pictures, a clean one that several rows share being
 * counted once. All groups give up their last rows alike; nothing but pictures is ever left out.
 */
export function withinBudget(run: Run, budget: number): Run {
  const groups = groupBy(run.gallery, (item) => JSON.stringify([item.arch, item.training, item.attack, item.epsilon]));
  const ranked = [...groups.values()]
    .flatMap((group) => group.map((item, rank) => ({ item, rank })))
    .toSorted((a, b) => a.rank - b.rank);
  const kept = new Set<GalleryItem>();
  const pictures = new Set<string>();
  let spent = 0;
  for (const { item } of ranked) {
    spent += item.adversarialPng.length + item.perturbationPng.length;
    if (!pictures.has(item.cleanPng)) spent += item.cleanPng.length;
    if (spent > budget) break;
    pictures.add(item.cleanPng);
    kept.add(item);
  }
  return kept.size === run.gallery.length ? run : { ...run, gallery: run.gallery.filter((item) => kept.has(item)) };
}

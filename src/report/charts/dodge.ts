/**
 * Heights moved apart until no two are closer than `gap`, none leaving [low, high] if they fit there at all; returned in
 * the order given. Labels at the ends of lines need it.
 */
export function dodge(heights: readonly number[], gap: number, low: number, high: number): readonly number[] {
  const order = heights.map((_, i) => i).sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0) || a - b);
  const placed = heights.slice();
  let free = low;
  for (const i of order) {
    placed[i] = Math.max(placed[i] ?? 0, free);
    free = (placed[i] ?? 0) + gap;
  }
  let ceiling = high;
  for (const i of order.toReversed()) {
    placed[i] = Math.min(placed[i] ?? 0, ceiling);
    ceiling = (placed[i] ?? 0) - gap;
  }
  return placed;
}

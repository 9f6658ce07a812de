/** Pictures to try defenses on. */
import { randomValues } from '../evaluate/fixtures.ts';

/** Something like a photograph: smooth shades, sharp edges, and a little noise. */
export function scene([height, width, channels]: readonly [number, number, number], seed = 1): Float32Array {
  const noise = randomValues(height * width * channels, seed, 'uniform');
  return noise.map((grain, i) => {
    const channel = i % channels;
    const column = Math.floor(i / channels) % width;
    const row = Math.floor(i / channels / width);
    const shade = 0.5 + 0.35 * Math.sin(row / 9 + channel) * Math.cos(column / 7 - 2 * channel + seed);
    const inside = (row - height / 2) ** 2 + (column - width / 3) ** 2 < (height / 5) ** 2;
    return Math.min(1, Math.max(0, (inside ? 1 - shade : shade) + 0.06 * (grain - 0.5)));
  });
}

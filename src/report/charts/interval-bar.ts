import { type Html, html } from '../html.ts';
import type { Measured } from '../slice.ts';

const WIDTH = 64;

/** A share from 0 to 100 % as a thin bar with its interval; the number stands beside it, so screen readers skip it. */
export function intervalBar({ share, interval: [low, high] }: Measured, colour: 'ink' | 'attacked' | 'muted'): Html {
  const x = (value: number): string => (WIDTH * value).toFixed(2);
  const narrow = Math.max(1.5, WIDTH * (high - low));
  const start = Math.min(WIDTH * low, WIDTH - narrow).toFixed(2);
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} 6" width="${WIDTH}" height="6" aria-hidden="true"><rect class="f-rule" width="${WIDTH}" height="1" y="2.5" fill="#dcdfe4"/><rect class="f-${colour}" width="${x(share)}" height="6" opacity=".22"/><rect class="f-${colour}" x="${start}" width="${narrow.toFixed(2)}" height="3" y="1.5"/></svg>`;
}

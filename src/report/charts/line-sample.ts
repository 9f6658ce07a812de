import { type Html, html } from '../html.ts';
import type { LineStyle } from '../palette.ts';
import { markerOutline } from '../svg.ts';

/** A line with its marker, or without, for a legend; the words stand beside it, so screen readers skip it. */
export const lineSample = ({ ink, dash, marker, name }: LineStyle, { isMarked = true } = {}): Html =>
  html`<svg class="sample" viewBox="0 0 36 12" width="36" height="12" aria-hidden="true"><path class="s-${name}" d="M2,6H34" stroke="${ink.light}" stroke-width="2" stroke-linecap="round" stroke-dasharray="${dash === '' ? 'none' : dash}"/>${isMarked && html`<path class="s-${name} f-${name}" transform="translate(18,6)" d="${markerOutline(marker, 3.4)}" stroke="${ink.light}" fill="${ink.light}" stroke-width="1.5"/>`}</svg>`;

import type { Run } from '../../core/run.ts';
import { finding, type Segment } from '../finding.ts';
import { interval, percent } from '../format.ts';
import { type Html, html, together } from '../html.ts';
import type { Slice } from '../slice.ts';

/** The finding as HTML: what fell under attack in its colour, intervals small, nothing parted that belongs together. */
export const renderSentence = (run: Run, slice: Slice): Html => renderSegments(finding(run, slice));

export const renderSegments = (segments: readonly Segment[]): Html => html`${segments.map(renderSegment)}`;

function renderSegment(part: Segment): Html | string {
  if (typeof part === 'string') return part;
  if (part.kind === 'together') return together(part.text);
  const { share, interval: ends } = part.measured;
  if (part.kind === 'clean') return html`<span class="number">${percent(share)}</span>`;
  return html`<span class="number"><strong class="${part.fell && 'attacked'}">${percent(share)}</strong> <span class="interval">[${interval(ends)}]</span></span>`;
}

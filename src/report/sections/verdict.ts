import type { GalleryItem } from '../../core/run.ts';
import type { Goal } from '../../core/threat-model.ts';
import { type Html, html, together } from '../html.ts';

/**
 * What became of an attacked image, in words as well as in colour.
 *
 * @param seeksNearest - whether the attack is of minimum norm: what it shows may lie outside the ball, and be right
 */
export function verdict(item: GalleryItem, goal: Goal, seeksNearest: boolean): Html {
  const { fooled, fooled8bit, cleanTop, adversarialTop, label } = item;
  const [before, after] = [cleanTop[0], adversarialTop[0]];
  if (fooled && before !== undefined && before.label !== label.label) return html`<b>wrong without attack</b>`;
  if (fooled) {
    return html`<b class="attacked">fooled</b> <br>${fooled8bit ? 'also' : 'but not'} as an ${together('8-bit')} PNG`;
  }
  // The scores of what is no image are no numbers, so nothing is likeliest.
  if (after === undefined) return html`<b>refused</b> <br>not finite`;
  if (after.label === label.label) return html`<b>held</b>`;
  if (goal.kind === 'targeted' && after.label !== goal.target) {
    return html`<b>held</b> <br>another class, not the target`;
  }
  return seeksNearest
    ? html`<b>held</b> <br>the nearest found is farther than ε`
    : html`<b>refused</b> <br>not an allowed image`;
}

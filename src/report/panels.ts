import { whole } from './format.ts';
import { type Html, html } from './html.ts';

/** Panels side by side, the first of them in plain sight; the others wait to be unfolded. */
export function panelsOf(panels: readonly Html[], inSight: number): Html {
  const folded = panels.slice(inSight);
  return html`<div class="panels">${panels.slice(0, inSight)}</div>${
    folded.length > 0 &&
    html`<details><summary>${whole(folded.length)} more</summary><div class="panels">${folded}</div></details>`
  }`;
}

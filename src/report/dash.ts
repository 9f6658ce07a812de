import { type Html, html } from './html.ts';

/** A dash where a table has no number; readers who listen hear why. */
export const dash = (why: string): Html => html`<span role="img" aria-label="${why}">–</span>`;

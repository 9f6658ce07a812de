/** HTML that cannot be broken out of: whatever is put into an `html` template is escaped, unless it is HTML already. */

/** A piece of HTML known to be safe. Made by `html`, or by `raw` for text that this program wrote itself. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template: text and numbers are escaped; nothing is nothing; a list is its items in a row. */
export type Content = Html | string | number | null | undefined | false | readonly Content[];

/** Marks text as HTML that needs no escaping: for our own style sheet, script and charts only. */
export const raw = (text: string): Html => new Html(text);

/**
 * Characters that no report should show as they are: controls (a terminal obeys them, HTML forbids them), halves of
 * surrogate pairs (no file holds them), and overrides of the writing direction, which would turn the rest of the line.
 */
const UNPRINTABLE = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu;

/** Foreign text with every unprintable character replaced by U+FFFD. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, '\ufffd');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute. */
export const escapeHtml = (text: string): string =>
  printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

function render(content: Content): string {
  if (content instanceof Html) return content.toString();
  if (content === null || content === undefined || content === false) return '';
  if (typeof content === 'string') return escapeHtml(content);
  return typeof content === 'number' ? escapeHtml(String(content)) : content.map(render).join('');
}

/** Tagged template: `html\`<p title="${title}">${text}</p>\``. Attributes must be quoted with `"`. */
export const html = (parts: TemplateStringsArray, ...contents: readonly Content[]): Html =>
  new Html(parts.map((part, i) => part + render(contents[i])).join(''));

/** Words that no line may part, unless they would fill one: `ε = 0.3`. */
export const together = (text: string): Html =>
  text.length > 24 ? html`${text}` : html`<span class="together">${text}</span>`;

/**
 * A value as JSON inside `<script type="application/json">`: `<` cannot close the element and U+2028/9 stay out of
 * scripts; JSON.parse gives the value back.
 */
export const jsonForScript = (value: unknown): Html =>
  raw(
    JSON.stringify(value).replace(
      /[<\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  );

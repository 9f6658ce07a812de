/** The comment that a file begins with, as Markdown: paragraphs as they are, displayed equations as blocks of code. */

/**
 * The text of the comment at a file's top, without its stars.
 *
 * @throws Error if the file begins otherwise
 */
export function headerOf(source: string): string {
  const comment = /^\/\*\*(.*?)\*\//s.exec(source)?.[1];
  if (comment === undefined) throw new Error('the file does not begin with a comment');
  return comment.replace(/^ *\* ?/gm, '').trim();
}

/** Lines that are set in are an equation, unless they are points of a list. */
export function toMarkdown(text: string): string {
  const blocks: { readonly isEquation: boolean; readonly lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const isEquation = /^ {2,}(?!\d+\. )\S/.test(line);
    const last = blocks.at(-1);
    if (last !== undefined && last.isEquation === isEquation) last.lines.push(line);
    else blocks.push({ isEquation, lines: [line] });
  }
  return blocks
    .map(({ isEquation, lines }) => (isEquation ? displayed(lines) : escaped(lines.join('\n').trim())))
    .filter((block) => block !== '')
    .join('\n\n');
}

const displayed = (lines: readonly string[]): string =>
  ['```text', ...lines.map((line) => line.trim()), '```'].join('\n');

/** What Markdown would take for its own is escaped, but for names of code and the points of a list, which stand apart. */
const escaped = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/[*_<[\]\\]/g, '\\$&')))
    .join('')
    .replace(/^ +(?=\d+\. )/gm, '')
    .replace(/\n(?=1\. )/g, '\n\n');

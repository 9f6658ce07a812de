/** A strict reader of markup: for asking what elements and attributes a page has, whatever its texts say. */

export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const TAG = /<(\/?[A-Za-z][\w-]*|!DOCTYPE)((?:\s+[A-Za-z][\w:-]*(?:="[^"]*")?)*)\s*\/?>/y;
const ATTRIBUTE = /([A-Za-z][\w:-]*)(?:="([^"]*)")?/g;

/**
 * The tags of a document in order.
 *
 * @throws Error at a `<` that begins no well-formed tag: text that was not escaped
 */
export function tagsOf(page: string): readonly Tag[] {
  const tags: Tag[] = [];
  for (let at = page.indexOf('<'); at >= 0; at = page.indexOf('<', at)) {
    TAG.lastIndex = at;
    const found = TAG.exec(page);
    if (found === null) throw new Error(`no tag at ${at}: ${page.slice(at, at + 80)}`);
    const [whole, name = '', attributes = ''] = found;
    tags.push({
      name,
      attributes: Object.fromEntries(
        [...attributes.matchAll(ATTRIBUTE)].map(([, key = '', value = '']) => [key, value]),
      ),
    });
    at += whole.length;
    if (name === 'script' || name === 'style') at = page.indexOf(`</${name}>`, at);
  }
  return tags;
}

/** Text as a reader sees it: no tags, no entities, white space as single spaces; without scripts and styles. */
export const textOf = (page: string): string =>
  page
    .replace(/<(script|style|title|desc)\b[^>]*>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&nbsp;/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

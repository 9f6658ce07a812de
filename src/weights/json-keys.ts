/**
 * What `JSON.parse` does not tell: the first thing in a JSON text that a careful reader would refuse, in words. A key that
 * an object has twice (the later value would silently win), or nesting beyond `maxDepth` (small text, large memory).
 *
 * @throws SyntaxError for some texts that are not JSON; others pass unnoticed, so parse the text as well
 */
export function jsonProblem(text: string, maxDepth: number): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '{' || c === '[') {
      if (open.length === maxDepth) return `it nests deeper than ${maxDepth} levels`;
      open.push(new Set());
    } else if (c === '}' || c === ']') {
      open.pop();
    } else if (c === '"') {
      const end = endOfString(text, i);
      if (isKey(text, end)) {
        const key = JSON.parse(text.slice(i, end)) as string;
        if (open.at(-1)?.has(key)) return `it has the name ${JSON.stringify(key.slice(0, 80))} twice`;
        open.at(-1)?.add(key);
      }
      i = end - 1;
    }
  }
  return undefined;
}

/** The position after the string literal that starts at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

/** Whether a colon follows: in JSON, only a key has one. */
function isKey(text: string, end: number): boolean {
  let i = end;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}

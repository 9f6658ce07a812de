/** Findings as a terminal shows them. */
import { wrap } from '../../report/lines.ts';
import type { Finding } from './finding.ts';

/** A terminal narrower than this has no room for two columns. */
const TWO_COLUMNS = 64;

/** A finding each, names to the left; advice below, behind an arrow. In a narrow terminal all of it stands below the name. */
export function findingLines(findings: readonly Finding[], width: number): readonly string[] {
  const column = Math.max(...findings.map(({ name }) => name.length));
  const isWide = width >= TWO_COLUMNS;
  const indent = ' '.repeat(isWide ? column + 4 : 4);
  const room = width - indent.length;
  return findings.flatMap(({ name, found, well, advice }) => {
    const mark = well ? ' ' : '!';
    const [first = '', ...rest] = wrap(found, room);
    const advised =
      advice === undefined ? [] : wrap(advice, room - 2).map((line, i) => `${i === 0 ? '→' : ' '} ${line}`);
    const below = [...rest, ...advised].map((line) => indent + line);
    return isWide
      ? [`${mark} ${name.padEnd(column)}  ${first}`, ...below]
      : [`${mark} ${name}`, indent + first, ...below];
  });
}

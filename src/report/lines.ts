/** Columns of text for a terminal: names to the left, numbers to the right. */
import { printable } from './html.ts';

export interface TableOptions {
  /** Whether the terminal understands ANSI colours. */
  readonly colour: boolean;
  /** Columns of the terminal. Attacks that do not fit become rows. */
  readonly width: number;
}

/** A name on one line, without anything a terminal would obey. */
export const clean = (text: string): string => printable(text).replace(/\s+/g, ' ');

/** A line of a table. */
export interface Line {
  readonly cells: readonly string[];
  /** Which of the cells is painted, as the worst of them. */
  readonly worst: number | undefined;
}

/** Characters of how a network was trained, in a column of a wide table: room for two of the program's own words. */
export const MOST_TRAINING = 48;

const GAP = 2;

const columnWidths = (lines: readonly Line[]): readonly number[] =>
  (lines[0]?.cells ?? []).map((_, column) => Math.max(...lines.map(({ cells }) => [...(cells[column] ?? '')].length)));

/** Columns that lines take when they are laid out. */
export const totalWidth = (lines: readonly Line[]): number =>
  columnWidths(lines).reduce((sum, width) => sum + width + GAP, -GAP);

/** Names to the left, numbers to the right. */
export function layOut(lines: readonly Line[], options: TableOptions): readonly string[] {
  const widths = columnWidths(lines);
  const names = (lines[0]?.cells.length ?? 0) > 3 ? 2 : 1;
  return lines.map(({ cells, worst }, row) => {
    const padded = cells.map((cell, column) => {
      const room = ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length));
      const text = column < names ? cell + room : room + cell;
      if (column === worst) return paint(text, 'red', options);
      return row === 0 && names === 2 ? paint(text, 'dim', options) : text;
    });
    return padded.join(' '.repeat(GAP)).trimEnd();
  });
}

const CODES = { bold: 1, dim: 2, red: 31, yellow: 33 } as const;

export const paint = (text: string, how: keyof typeof CODES, { colour }: TableOptions): string =>
  colour && text.trim() !== '' ? `\u001b[${CODES[how]}m${text}\u001b[0m` : text;

/** Where words may not part: `12.5 %`, `12.5 % [8.1–18.9]`, `L∞ ε = 0.3`. */
const TOGETHER = /(?<=\d) (?=%)|(?<=%) (?=\[)| (?=[=ε])|(?<= =) /g;
const JOINED = '\u00a0';

/** Words on lines of at most `width` characters, numbers with what belongs to them; a longer word has a line of its own. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  const pieces = text.replace(TOGETHER, JOINED).split(' ');
  for (const word of pieces.flatMap((piece) => (piece.length > width ? piece.split(JOINED) : piece))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(JOINED, ' '));
}

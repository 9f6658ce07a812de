/** Rows of words in columns, as a terminal shows them. */

export interface Column {
  readonly name: string;
  readonly align: 'left' | 'right';
}

export const words = (name: string): Column => ({ name, align: 'left' });
export const numbers = (name: string): Column => ({ name, align: 'right' });

const GAP = '  ';

/** The columns' names, then a line for each row, all cells of a column equally wide. */
export function inColumns(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map(({ name }) => name), ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((cells) => [...(cells[i] ?? '')].length)));
  return lines.map((cells) =>
    columns
      .map(({ align }, i) => {
        const cell = cells[i] ?? '';
        const room = ' '.repeat((widths[i] ?? 0) - [...cell].length);
        return align === 'right' ? room + cell : cell + room;
      })
      .join(GAP)
      .trimEnd(),
  );
}

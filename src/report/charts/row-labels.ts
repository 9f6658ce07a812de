/** What the rows of a chart are called: whole where a network or its training is new, short where only the defense is. */
import { fitApart } from '../fit-apart.ts';
import { groupBy } from '../slice.ts';
import { type Face, textWidth } from '../text-width.ts';

export interface NamedRow {
  /** The network's. */
  readonly name: string;
  /** How it was trained. */
  readonly detail: string;
  /** What it stands behind, if it does. */
  readonly addition?: string | undefined;
}

export interface RowLabel {
  readonly shown: string;
  /** What it is cut from, or short for. */
  readonly whole: string;
}

/** A label before it is cut, and which others it must be told from. */
interface Wanted extends RowLabel {
  readonly among: string;
}

/** `standard training + jpeg` */
export const trainedAs = ({ detail, addition }: NamedRow): string =>
  addition === undefined ? detail : `${detail} + ${addition}`;

/** `VGG-16, standard training`, below it `+ jpeg`. */
export const labelsAlone = (rows: readonly NamedRow[], room: number, face: Face): readonly RowLabel[] =>
  cutApart(
    wantedOf(rows, (row) => `${row.name}, ${trainedAs(row)}`, 'chart'),
    room,
    face,
  );

export interface Columns {
  /** One per row; undefined where the network is that of the row above. */
  readonly names: readonly (RowLabel | undefined)[];
  readonly details: readonly RowLabel[];
  /** Where the details begin and where they end, in pixels. */
  readonly detailsAt: number;
  readonly end: number;
}

const GAP = 20;
/** The least that long details leave to the names. */
const LEAST = 112;

/** `VGG-16` and `standard training`, below it `+ jpeg`: columns as wide as they must be, together at most `room` pixels. */
export function labelColumns(
  rows: readonly NamedRow[],
  room: number,
  { name, detail }: Readonly<Record<'name' | 'detail', Face>>,
): Columns {
  const firsts = rows.filter((row, i) => isFirst(row, rows[i - 1]));
  const names = firsts.map((row): Wanted => ({ shown: row.name, whole: row.name, among: 'chart' }));
  const details = wantedOf(rows, trainedAs, 'network');
  const nameRoom = Math.min(widest(names, name), Math.max(LEAST, room - GAP - widest(details, detail)));
  const detailRoom = Math.min(widest(details, detail), room - GAP - nameRoom);
  const cut = cutApart(names, nameRoom, name);
  let next = 0;
  return {
    names: rows.map((row, i) => (isFirst(row, rows[i - 1]) ? cut[next++] : undefined)),
    details: cutApart(details, detailRoom, detail),
    detailsAt: nameRoom + GAP,
    end: nameRoom + GAP + detailRoom,
  };
}

const widest = (labels: readonly RowLabel[], face: Face): number =>
  Math.ceil(Math.max(0, ...labels.map(({ shown }) => textWidth(shown, face))));

/** Whether a row is of another network than the one above. */
export const isFirst = (row: NamedRow, above: NamedRow | undefined): boolean => row.name !== above?.name;

/** Whether a row is the network of the last whole label, undefended there, behind a defense. */
const goesOn = (row: NamedRow, head: NamedRow | undefined): boolean =>
  row.addition !== undefined && head?.addition === undefined && head?.name === row.name && head.detail === row.detail;

/** Short labels are to be told from those under the same whole one; whole ones from those of their network or chart. */
function wantedOf(
  rows: readonly NamedRow[],
  wholeOf: (row: NamedRow) => string,
  within: 'network' | 'chart',
): readonly Wanted[] {
  let [network, head] = [0, 0];
  return rows.map((row, i) => {
    const whole = wholeOf(row);
    if (goesOn(row, rows[head])) return { shown: `+ ${row.addition}`, whole, among: `under ${head}` };
    head = i;
    if (isFirst(row, rows[i - 1])) network = i;
    return { shown: whole, whole, among: within === 'chart' ? within : `${within} ${network}` };
  });
}

function cutApart(wanted: readonly Wanted[], room: number, face: Face): readonly RowLabel[] {
  const cut = new Map<Wanted, string>();
  for (const group of groupBy(wanted, ({ among }) => among).values()) {
    const names = group.map(({ shown }) => shown);
    for (const [i, shown] of fitApart(names, room, face).entries()) {
      const label = group[i];
      if (label !== undefined) cut.set(label, shown);
    }
  }
  return wanted.map((label) => ({ shown: cut.get(label) ?? label.shown, whole: label.whole }));
}

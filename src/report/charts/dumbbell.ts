import { percent } from '../format.ts';
import type { Html } from '../html.ts';
import { ATTACKED, INK, MUTED, RULE } from '../palette.ts';
import type { Measured } from '../slice.ts';
import { type Colour, drawSvg, type Pen } from '../svg.ts';
import { textWidth } from '../text-width.ts';
import { isBelow } from '../worst-case.ts';
import {
  type Columns,
  isFirst,
  labelColumns,
  labelsAlone,
  type NamedRow,
  type RowLabel,
  trainedAs,
} from './row-labels.ts';

export interface DumbbellRow extends NamedRow {
  readonly clean: Measured;
  readonly attacked: Measured;
}

export interface Dumbbell {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly rows: readonly DumbbellRow[];
  /** In pixels; below 560 the names stand above their lines. */
  readonly width: number;
}

const ink: Colour = { ink: INK, name: 'ink' };
const muted: Colour = { ink: MUTED, name: 'muted' };
const rule: Colour = { ink: RULE, name: 'rule' };
const attacked: Colour = { ink: ATTACKED, name: 'attacked' };

const NUMBER = { size: 14.5, weight: 700 };
/** From a marker's centre to its number. */
const NUMBER_GAP = 14;
/** Beside the axis: the widest number may stand beyond either end. */
const NUMBER_ROOM = Math.ceil(NUMBER_GAP + textWidth(percent(1), NUMBER));
const NAME = { size: 14.5, weight: 600 };
const DETAIL = { size: 13 };
const NAME_ABOVE = { size: 13.5, weight: 600 };
/** The least that names beside them leave to the lines: half of a wide picture. */
const LEAST_LENGTH = 500;
/** From the names to the lowest number. */
const NAMES_GAP = 8;
const TOP = 28;

/** How far every network falls: its accuracy without attack and under the worst one, on one line, with intervals. */
export function dumbbell({ id, title, rows, width }: Dumbbell): Html {
  const narrow = width < 560;
  const rowHeight = narrow ? 60 : 38;
  const room = width - LEAST_LENGTH - 2 * NUMBER_ROOM - NAMES_GAP;
  const columns = narrow ? undefined : labelColumns(rows, room, { name: NAME, detail: DETAIL });
  const left = (columns === undefined ? 0 : columns.end + NAMES_GAP) + NUMBER_ROOM;
  const length = width - left - NUMBER_ROOM;
  const tops = topsOf(rows, rowHeight, narrow ? 0 : 14);
  const bottom = (tops.at(-1) ?? TOP) + rowHeight;
  const description = rows.map((row) => describe(row)).join(' ');
  return drawSvg(width, bottom + 28, { id, title, description }, (page) => {
    drawAxis(page.group(left, bottom), length);
    if (columns === undefined) drawNamesAbove(page, labelsAlone(rows, width, NAME_ABOVE), tops);
    else drawNamesBeside(page.group(0, rowHeight / 2 + 5), columns, tops);
    for (const [i, row] of rows.entries()) {
      const y = tops[i] ?? TOP;
      drawGrid(page.group(left, y), length, narrow ? 26 : 0, (tops[i + 1] ?? bottom) - y);
      drawRow(page.group(left, y + rowHeight * (narrow ? 0.7 : 0.5)), row, length);
    }
    if (rows[0] !== undefined) drawKey(page.group(left, narrow ? 14 : TOP + 3), rows[0], length);
  });
}

/** The rows' upper edges: those of one network stand close together. */
function topsOf(rows: readonly DumbbellRow[], rowHeight: number, gap: number): readonly number[] {
  let next = TOP;
  return rows.map((row, i) => {
    const top = next + (i > 0 && isFirst(row, rows[i - 1]) ? gap : 0);
    next = top + rowHeight;
    return top;
  });
}

const TICKS = [0, 0.25, 0.5, 0.75, 1];

function drawGrid(pen: Pen, length: number, from: number, to: number): void {
  for (const share of TICKS) pen.line([share * length, from], [share * length, to], { ...rule, width: 1 });
}

function drawAxis(pen: Pen, length: number): void {
  for (const share of TICKS) {
    const label = share === 1 ? '100 %' : String(100 * share);
    pen.text([share * length, 18], label, { size: 12, anchor: 'middle', colour: muted });
  }
}

/** Where room is scarce. */
function drawNamesAbove(pen: Pen, labels: readonly RowLabel[], tops: readonly number[]): void {
  for (const [i, { shown, whole }] of labels.entries())
    pen.text([0, (tops[i] ?? TOP) + 18], shown, { ...NAME_ABOVE, colour: ink, whole });
}

/** To the left of the lines, a network's name once for all its rows. */
function drawNamesBeside(pen: Pen, { names, details, detailsAt }: Columns, tops: readonly number[]): void {
  for (const [i, y] of tops.entries()) {
    const [name, detail] = [names[i], details[i]];
    if (name !== undefined) pen.text([0, y], name.shown, { ...NAME, colour: ink, whole: name.whole });
    if (detail !== undefined) pen.text([detailsAt, y], detail.shown, { ...DETAIL, colour: muted, whole: detail.whole });
  }
}

function drawRow(pen: Pen, row: DumbbellRow, length: number): void {
  const from = row.clean.share * length;
  const to = row.attacked.share * length;
  pen.line([from, 0], [to, 0], { ...attacked, width: 4, opacity: 0.3 });
  for (const [measured, colour] of [
    [row.clean, ink],
    [row.attacked, attacked],
  ] as const) {
    const [low, high] = measured.interval;
    pen.line([low * length, 0], [high * length, 0], { ...colour, width: 2 });
    for (const end of [low, high]) pen.line([end * length, -5], [end * length, 5], { ...colour, width: 1.5 });
  }
  pen.marker([from, 0], 'circle', ink, { hollow: true, size: 6 });
  pen.marker([to, 0], 'diamond', attacked, { size: 6 });
  const leftmost = row.attacked.share <= row.clean.share ? 'attacked' : 'clean';
  // The diamond says that it is under attack; its number is coloured only where that did harm.
  const harmed = isBelow(row.attacked, row.clean) ? attacked : ink;
  drawNumber(pen, row.attacked, harmed, length, leftmost === 'attacked', 700);
  drawNumber(pen, row.clean, ink, length, leftmost === 'clean', 400);
}

/** A number beside its marker, clear of the interval: to the left of the lower point, to the right of the higher. */
function drawNumber(
  pen: Pen,
  measured: Measured,
  colour: Colour,
  length: number,
  onLeft: boolean,
  weight: number,
): void {
  const x = onLeft
    ? Math.min(measured.interval[0] * length - NUMBER_GAP / 2, measured.share * length - NUMBER_GAP)
    : Math.max(measured.interval[1] * length + NUMBER_GAP / 2, measured.share * length + NUMBER_GAP);
  const anchor = onLeft ? 'end' : 'start';
  pen.text([x, 5], percent(measured.share), { ...NUMBER, anchor, colour, weight });
}

/** The first row says what its two points are, unless they are too close for words. */
function drawKey(pen: Pen, { clean, attacked: worst }: DumbbellRow, length: number): void {
  if (Math.abs(clean.share - worst.share) * length < 120) return;
  pen.text([worst.share * length, 0], 'under attack', { size: 12, anchor: 'middle', colour: attacked });
  pen.text([clean.share * length, 0], 'clean', { size: 12, anchor: 'middle', colour: muted });
}

const describe = ({ clean, attacked: worst, ...row }: DumbbellRow): string =>
  `${row.name}, ${trainedAs(row)}: ${percent(clean.share)} clean, ${percent(worst.share)} under the worst attack.`;

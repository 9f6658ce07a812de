/** The frame of a small panel whose height is a share of images, 0 to 100 %, and whose lines have their names at their right. */

import { fitApart } from '../fit-apart.ts';
import type { Html } from '../html.ts';
import { INK, type LineStyle, MUTED, RULE } from '../palette.ts';
import { type Colour, drawSvg, type Pen, type Point, type Words } from '../svg.ts';
import { textWidth } from '../text-width.ts';
import { dodge } from './dodge.ts';

const WIDTH = 420;
const HEIGHT = 268;
const LEFT = 50;
const TOP = 24;
export const PLOT_HEIGHT = HEIGHT - TOP - 50;
export const SMALL = 12;
export const LABEL = { size: SMALL, weight: 600 };
export const LABEL_GAP = 9;
/** For the lines' names: never so little that a radius at the axis' end is cut off, never much of the plot. */
const LEAST_LABEL_ROOM = 40;
const MOST_LABEL_ROOM = 112;

export const ink: Colour = { ink: INK, name: 'ink' };
export const muted: Colour = { ink: MUTED, name: 'muted' };
export const rule: Colour = { ink: RULE, name: 'rule' };

/** Pixels below the plot's upper edge. */
export const yOf = (share: number): number => (1 - share) * PLOT_HEIGHT;

/** Where a line ends, and what it is called. */
export interface LineEnd {
  readonly label: string;
  readonly style: LineStyle;
  readonly x: number;
  readonly y: number;
}

export interface SharePanel {
  readonly words: Words;
  /** The names of all lines of the figure: the longest decides how much room is left for them. */
  readonly names: readonly string[];
  /** Pixels for another plot under this one, before the axis' words. */
  readonly below?: number;
  /** Draws into the plot, which is `width` by `PLOT_HEIGHT` pixels; the ends of its lines are named. */
  readonly draw: (pen: Pen, width: number) => readonly LineEnd[];
}

export function sharePanel({ words, names, below = 0, draw }: SharePanel): Html {
  return drawSvg(WIDTH, HEIGHT + below, words, (page) => {
    const pen = page.group(LEFT, TOP);
    const labelRoom = labelRoomFor(names);
    const width = WIDTH - LEFT - LABEL_GAP - labelRoom;
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      pen.line([0, yOf(share)], [width, yOf(share)], { ...rule, width: 1 });
      const label = share === 1 ? '100 %' : String(100 * share);
      pen.text([-10, yOf(share) + 4], label, { size: SMALL, anchor: 'end', colour: muted });
    }
    drawLabels(pen, draw(pen, width), names);
  });
}

/** Pixels to the right of the plot, for the names of its lines. */
function labelRoomFor(names: readonly string[]): number {
  const widest = Math.max(0, ...names.map((name) => textWidth(name, LABEL)));
  return Math.ceil(Math.min(Math.max(widest, LEAST_LABEL_ROOM), MOST_LABEL_ROOM));
}

/** A line's name at the place given, cut such that it stays apart from the others of the figure. */
export function drawName(
  pen: Pen,
  at: Point,
  { label, style }: Pick<LineEnd, 'label' | 'style'>,
  names: readonly string[],
): void {
  const room = labelRoomFor(names);
  const shown = fitApart(names, room, LABEL)[names.indexOf(label)] ?? label;
  pen.text(at, shown, { ...LABEL, colour: style, room, whole: label });
}

/** Every line's name at its right end, moved apart where lines end together. */
function drawLabels(pen: Pen, ends: readonly LineEnd[], names: readonly string[]): void {
  const heights = dodge(
    ends.map(({ y }) => y),
    14,
    4,
    PLOT_HEIGHT - 3,
  );
  for (const [i, end] of ends.entries()) drawName(pen, [end.x + LABEL_GAP, (heights[i] ?? end.y) + 4], end, names);
}

/** What the horizontal axis says, under its numbers. */
export const drawAxisTitle = (pen: Pen, width: number, words: string, below = 0): void =>
  pen.text([width / 2, PLOT_HEIGHT + below + 38], words, { size: SMALL, anchor: 'middle', colour: muted });

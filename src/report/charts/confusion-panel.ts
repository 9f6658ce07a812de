import type { Confusion } from '../../core/run.ts';
import { percent } from '../format.ts';
import type { Html } from '../html.ts';
import { ATTACKED } from '../palette.ts';
import { type Colour, drawSvg, type Pen, type Point } from '../svg.ts';
import { textWidth } from '../text-width.ts';
import { ink, muted, rule, SMALL } from './share-panel.ts';

export interface ConfusionPanel {
  /** Unique in the document. */
  readonly id: string;
  readonly title: string;
  readonly classes: readonly string[];
  /** With the number of attacked images of every class. */
  readonly confusion: Confusion & { readonly attacked: readonly number[] };
}

const WIDTH = 420;
const TOP = 44;
/** For the names of the true classes. */
const MOST_NAME_ROOM = 104;
/** For how many images there are of each. */
const COUNT_ROOM = 34;
/** Rows are no higher, however few classes there are. */
const MOST_HEIGHT = 34;
/** So dark that words on it are still easy to read. */
const DARKEST = 0.55;
const NUMBER = 11;

const attacked: Colour = { ink: ATTACKED, name: 'attacked' };

/**
 * True classes down, predicted ones across. A box holds how many images of its row are taken for the class of its column; the
 * darker, the larger a share of the row. On the diagonal, outlined, stand those that the attack has not moved.
 */
export function confusionPanel({ id, title, classes, confusion }: ConfusionPanel): Html {
  const { attacked: sizes, flips } = confusion;
  const names = sizes.map((_, label) => classes[label] ?? String(label));
  // Names that are more than their numbers do not fit above a column: there the numbers stand.
  const isNumbered = names.some((name, label) => name !== String(label));
  const rowNames = names.map((name, label) => (isNumbered ? `${label} ${name}` : name));
  const widest = Math.max(...rowNames.map((name) => textWidth(name, { size: SMALL })));
  const left = 8 + Math.ceil(Math.min(widest, MOST_NAME_ROOM)) + 20;
  const cell = (WIDTH - left - COUNT_ROOM) / sizes.length;
  const height = Math.min(cell, MOST_HEIGHT);
  const total = TOP + height * sizes.length + 4;
  return drawSvg(WIDTH, Math.ceil(total), { id, title, description: describe(confusion, names) }, (page) => {
    const pen = page.group(left, TOP);
    const end = cell * sizes.length;
    // Not so near the edge that rounding would cut off a word.
    const right = end + COUNT_ROOM - 4;
    pen.text([end / 2, -29], 'taken for', { size: SMALL, anchor: 'middle', colour: muted });
    pen.text([-8, -10], 'true', { size: SMALL, anchor: 'end', colour: muted });
    pen.text([right, -10], 'of', { size: SMALL, anchor: 'end', colour: muted });
    for (const [label, name] of rowNames.entries()) {
      const middle = (label + 0.5) * height + 4;
      pen.text([-8, middle], name, { size: SMALL, anchor: 'end', colour: ink, room: left - 16 });
      const size = String(sizes[label] ?? 0);
      pen.text([right, middle], size, { size: NUMBER, anchor: 'end', colour: muted });
      const above = (label + 0.5) * cell;
      pen.text([above, -10], String(label), { size: SMALL, anchor: 'middle', colour: ink });
    }
    for (let i = 0; i <= sizes.length; i++) {
      pen.line([0, i * height], [end, i * height], { ...rule, width: 1 });
      pen.line([i * cell, 0], [i * cell, sizes.length * height], { ...rule, width: 1 });
    }
    for (const [label, size] of sizes.entries()) {
      const gone = flips.reduce((sum, { from, images }) => sum + (from === label ? images : 0), 0);
      const corner: Point = [label * cell, label * height];
      box(pen, corner, [cell, height], { images: size - gone, of: size, colour: muted, darkest: 0.3 });
      outline(pen, corner, [cell, height]);
    }
    for (const { from, to, images, of } of flips)
      box(pen, [to * cell, from * height], [cell, height], { images, of, colour: attacked, darkest: DARKEST });
  });
}

interface Filled {
  readonly images: number;
  readonly of: number;
  readonly colour: Colour;
  readonly darkest: number;
}

function box(pen: Pen, [x, y]: Point, [width, height]: Point, { images, of, colour, darkest }: Filled): void {
  if (images <= 0) return;
  const shade = Math.round(100 * darkest * Math.sqrt(images / of)) / 100;
  pen.area(corners([x + 0.5, y + 0.5], [width - 1, height - 1]), colour, shade);
  pen.text([x + width / 2, y + height / 2 + 4], String(images), {
    size: NUMBER,
    anchor: 'middle',
    colour: ink,
    room: width,
  });
}

const corners = ([x, y]: Point, [width, height]: Point): readonly Point[] => [
  [x, y],
  [x + width, y],
  [x + width, y + height],
  [x, y + height],
];

function outline(pen: Pen, [x, y]: Point, size: Point): void {
  const around = corners([x, y], size);
  pen.polyline([...around, around[0] ?? [x, y]], { ...muted, width: 1.25 });
}

/** The most frequent flips, in words. */
function describe({ images, fooled, flips }: Confusion, names: readonly string[]): string {
  const told = flips
    .slice(0, 5)
    .map(({ from, to, images: count, of }) => `${names[from]} for ${names[to]}, ${count} of ${of}`);
  const most = told.length === 0 ? '' : ` Most often taken for another: ${told.join('; ')}.`;
  return `Of ${images} attacked images ${fooled} are fooled, ${percent(fooled / images)}.${most}`;
}

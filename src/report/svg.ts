/** The one file that knows d3-node: static SVG, drawn on the server. */
import { D3Node, type Selection } from 'd3-node';
import { type Html, printable, raw } from './html.ts';
import type { Ink, Marker } from './palette.ts';
import { fitText } from './text-width.ts';

export interface Words {
  /** A document-wide unique id: the title and description take theirs from it. */
  readonly id: string;
  readonly title: string;
  /** What a reader who does not see the picture should know. */
  readonly description: string;
}

/** Drawing with the pen at hand. `Pen` is a group of SVG into which one appends; every colour has its class for the dark. */
export class Pen {
  readonly #group: Selection;

  constructor(group: Selection) {
    this.#group = group;
  }

  group(x: number, y: number): Pen {
    return new Pen(this.#group.append('g').attr('transform', `translate(${round(x)},${round(y)})`));
  }

  line(from: Point, to: Point, stroke: Stroke): void {
    const line = this.#group.append('line');
    line.attr('x1', round(from[0])).attr('y1', round(from[1])).attr('x2', round(to[0])).attr('y2', round(to[1]));
    applyStroke(line, stroke);
  }

  polyline(points: readonly Point[], stroke: Stroke): void {
    if (points.length < 2) return;
    const line = this.#group.append('polyline').attr('points', points.map(pair).join(' ')).attr('fill', 'none');
    applyStroke(line.attr('stroke-linejoin', 'round'), stroke);
  }

  /** A filled area without an outline. */
  area(points: readonly Point[], fill: Colour, opacity: number): void {
    const area = this.#group.append('polygon').attr('points', points.map(pair).join(' '));
    area.attr('fill', fill.ink.light).attr('fill-opacity', opacity).attr('class', `f-${fill.name}`);
  }

  text(
    at: Point,
    words: string,
    { size, anchor = 'start', colour, weight = 400, room = Number.POSITIVE_INFINITY, whole = words }: Lettering,
  ): void {
    const text = this.#group.append('text').attr('x', round(at[0])).attr('y', round(at[1]));
    text.attr('font-size', size).attr('text-anchor', anchor).attr('fill', colour.ink.light);
    text.attr('class', `f-${colour.name}`);
    if (weight !== 400) text.attr('font-weight', weight);
    const shown = fitText(words, room, { size, weight });
    text.text(printable(shown));
    if (shown !== whole) text.append('title').text(printable(whole));
  }

  /** A point of a series: filled with its colour, or hollow. */
  marker([x, y]: Point, marker: Marker, colour: Colour, { hollow = false, size = 4 } = {}): void {
    const mark = this.#group.append('path').attr('d', OUTLINES[marker](size));
    mark.attr('transform', `translate(${round(x)},${round(y)})`);
    mark.attr('stroke', colour.ink.light).attr('stroke-width', 1.5);
    mark.attr('fill', hollow ? '#ffffff' : colour.ink.light);
    mark.attr('class', hollow ? `s-${colour.name} f-paper` : `s-${colour.name} f-${colour.name}`);
  }
}

export type Point = readonly [x: number, y: number];

/** A colour on paper, with the class that recolours it in the dark. */
export interface Colour {
  readonly ink: Ink;
  readonly name: string;
}

export interface Stroke extends Colour {
  readonly width: number;
  readonly dash?: string;
  readonly opacity?: number;
}

export interface Lettering {
  readonly size: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour: Colour;
  readonly weight?: number;
  /** In pixels: what is longer ends in an ellipsis and has the whole as its title. */
  readonly room?: number;
  /** What the words are short for, if they are: their title. */
  readonly whole?: string;
}

/** Outlines of markers of about equal area, `r` being the circle's radius. */
const OUTLINES: Readonly<Record<Marker, (r: number) => string>> = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0z`,
  square: (r) => outline([-0.89, -0.89], [0.89, -0.89], [0.89, 0.89], [-0.89, 0.89])(r),
  diamond: (r) => outline([0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0])(r),
  triangle: (r) => outline([0, -1.3], [1.2, 0.8], [-1.2, 0.8])(r),
  cross: (r) => `M${-r},${-r}l${2 * r},${2 * r}M${-r},${r}l${2 * r},${-2 * r}`,
};

/** The path of a marker around the origin. */
export const markerOutline = (marker: Marker, size: number): string => OUTLINES[marker](size);

const outline =
  (...corners: readonly Point[]) =>
  (r: number): string =>
    `M${corners.map(([x, y]) => pair([x * r, y * r])).join('L')}z`;

/** Hundredths of a pixel: the same bytes whatever the last bits of a logarithm. */
const round = (value: number): number => Math.round(value * 100) / 100 + 0;
const pair = ([x, y]: Point): string => `${round(x)},${round(y)}`;

function applyStroke(shape: Selection, { ink, name, width, dash, opacity }: Stroke): void {
  shape.attr('stroke', ink.light).attr('stroke-width', width).attr('class', `s-${name}`);
  if (dash !== undefined && dash !== '') shape.attr('stroke-dasharray', dash).attr('stroke-linecap', 'round');
  if (opacity !== undefined) shape.attr('stroke-opacity', opacity);
}

/** The one document that all is drawn in, an element at a time: to make a document takes longer than to draw in it. */
let easel: D3Node | undefined;

/** An SVG element of the given size, drawn by `draw`, with its title and description in place for screen readers. */
export function drawSvg(width: number, height: number, words: Words, draw: (pen: Pen) => void): Html {
  easel ??= new D3Node();
  const svg = easel.createSVG(width, height, {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-labelledby': `${words.id}-title ${words.id}-description`,
    'font-family': 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  });
  try {
    svg.append('title').attr('id', `${words.id}-title`).text(printable(words.title));
    svg.append('desc').attr('id', `${words.id}-description`).text(printable(words.description));
    draw(new Pen(svg.append('g')));
    return raw(svg.node().outerHTML);
  } finally {
    svg.remove();
  }
}

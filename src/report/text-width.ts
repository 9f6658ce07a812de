/**
 * How wide a text can get. A page does not know its reader's font, so widths are those of DejaVu Sans, the widest face that
 * a usual system puts in place of the ones asked for: what fits in it fits in all.
 */
import { printable } from './html.ts';

/** Widths in ems, and the characters that are at most so wide. */
const WIDTHS: readonly (readonly [ems: number, characters: string])[] = [
  [0.34, " ijl.,:;/I|'"],
  [0.42, 'frt-()[]!'],
  [0.55, 'scz–J?'],
  [0.64, '0123456789abdeghknopquvxyFL_*$ε'],
  [0.7, 'ABCEKPRSTVXYZ'],
  [0.79, 'DGHNOQU'],
  [0.84, 'w<>=+~−×∞'],
  [1, 'mMW%@&…'],
];

const WIDTH_OF: ReadonlyMap<string, number> = new Map(
  WIDTHS.flatMap(([ems, characters]) => [...characters].map((character) => [character, ems] as const)),
);

/** Emoji; ideographs are narrower. */
const WIDEST = 1.3;

export interface Face {
  /** In pixels. */
  readonly size: number;
  readonly weight?: number;
}

/** An upper bound in pixels. */
export function textWidth(text: string, { size, weight = 400 }: Face): number {
  const ems = [...text].map((character) => WIDTH_OF.get(character) ?? WIDEST);
  const regular = ems.reduce((sum, width) => sum + width, 0);
  return size * (weight > 500 ? 1.08 * regular + 0.05 * ems.length : regular);
}

/**
 * The text, or as much of it as fits into `room` pixels, with `…` for the rest.
 *
 * @param front - what share of the room the text's beginning has; its end has the others
 */
export function fitText(text: string, room: number, face: Face, front = 1): string {
  const shown = printable(text);
  if (textWidth(shown, face) <= room) return text;
  const left = room - textWidth('…', face);
  const characters = [...shown];
  const head = firstOf(characters, front * left, face);
  const tail = firstOf(characters.toReversed(), (1 - front) * left, face).toReversed();
  return `${head.join('').trimEnd()}…${tail.join('').trimStart()}`;
}

/** As many of the characters as fit, from the first on. */
function firstOf(characters: readonly string[], room: number, face: Face): readonly string[] {
  let left = room;
  const end = characters.findIndex((character) => {
    left -= textWidth(character, face);
    return left < 0;
  });
  return end < 0 ? characters : characters.slice(0, end);
}

import { printable } from './html.ts';
import { type Face, fitText } from './text-width.ts';

/** What share of a name that is too long its beginning has: the first of these that leaves no two alike. */
const FRONTS = [1, 0.67, 0.5, 0.33, 0];

/**
 * Names cut to `room` pixels such that a reader can tell them from each other: at the end or, where that leaves two alike, in
 * the middle or at the beginning; with numbers before them where nothing else helps, as with two of the same name.
 */
export function fitApart(names: readonly string[], room: number, face: Face): readonly string[] {
  for (const front of FRONTS) {
    const shown = names.map((name) => fitText(name, room, face, front));
    if (new Set(shown.map(asSeen)).size === names.length) return shown;
  }
  return names.map((name, i) => fitText(`${i + 1} ${name}`, room, face));
}

/** A picture shows white space of any length as one space, and none at the ends. */
const asSeen = (text: string): string => printable(text).replace(/\s+/g, ' ').trim();

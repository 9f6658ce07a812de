/** How numbers are written, the same in the page, the terminal and the index. */
import type { Goal, Threat } from '../core/threat-model.ts';

/**
 * A share as a percentage of one decimal: `47.3 %`. Only nothing is `0.0 %` and only everything is `100.0 %`: what would
 * round to them is `<0.1 %` and `>99.9 %`.
 */
export const percent = (share: number): string => `${percentNumber(share)} %`;

function percentNumber(share: number): string {
  const rounded = (100 * share).toFixed(1);
  if (rounded === '0.0' && share > 0) return '<0.1';
  return rounded === '100.0' && share < 1 ? '>99.9' : rounded;
}

/** The ends of an interval in percent: `44.2–50.4`. */
export const interval = ([low, high]: readonly [number, number]): string =>
  `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`;

/** A difference of shares in percentage points, with its sign: `−0.9`. */
export function points(difference: number): string {
  const rounded = (100 * Math.abs(difference)).toFixed(1);
  if (rounded === '0.0') return '0.0';
  return `${difference < 0 ? '−' : '+'}${rounded}`;
}

/** `1,000` */
export const whole = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');

const UNITS = [
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
] as const;

/** `1 image`, `1,000 images` */
export const counted = (count: number, one: string, several = `${one}s`): string =>
  `${whole(count)} ${count === 1 ? one : several}`;

/** A large number in three digits: `232 k`, `61.1 M`, `15.5 G`. */
export function compact(count: number): string {
  const unit = UNITS.find(([, size]) => count >= 0.9995 * size);
  return unit === undefined ? significant(count, 3) : `${significant(count / unit[1], 3)} ${unit[0]}`;
}

/** So many a second, in three digits: `1,230`, `45.6`. */
export const rate = (perSecond: number): string => {
  const rounded = Number(perSecond.toPrecision(3));
  return rounded < 1000 ? String(rounded) : whole(rounded);
};

/** Memory in whole megabytes: `312 MB`. */
export const megabytes = (bytes: number): string => `${whole(Math.round(bytes / 1e6))} MB`;

/** At most `digits` significant digits, without trailing zeros: `0.03`, `1.5`. */
export const significant = (value: number, digits: number): string => String(Number(value.toPrecision(digits)));

/** The same with a sign as wide as a digit: `−1.5`. */
export const signed = (value: number, digits: number): string => significant(value, digits).replace(/^-/, '−');

/** A number as a fraction of at most 64ths, where it is one: `1/8`, `5/16`; else in three digits. */
export function fraction(value: number): string {
  for (let below = 1; below <= 64; below++) {
    const above = Math.round(value * below);
    if (above > 0 && Math.abs(value * below - above) < 1e-6) return below === 1 ? String(above) : `${above}/${below}`;
  }
  return significant(value, 3);
}

/** A radius as people write it: `0.3`, `8/255`, `0.25/255`, or four significant digits. */
export function radius(epsilon: number): string {
  const decimal = significant(epsilon, 4);
  if (Math.abs(epsilon - Number(decimal)) <= 1e-7 * epsilon) return decimal;
  const levels = Math.round(8 * 255 * epsilon) / 8;
  const isLevels = levels > 0 && levels < 255 && Math.abs(epsilon * 255 - levels) < 1e-4;
  return isLevels ? `${levels}/255` : decimal;
}

const NORM_SYMBOLS: Readonly<Record<Threat, string>> = { Linf: 'L∞', L2: 'L2', L1: 'L1', spatial: 'shift and turn' };

export const normSymbol = (norm: Threat): string => NORM_SYMBOLS[norm];

/** `“gibbon”`, or `class 3` where the class has no name but its number. */
export function className(label: number, classes: readonly string[]): string {
  const name = classes[label];
  return name === undefined || name === String(label) ? `class ${label}` : `“${name}”`;
}

/** `untargeted`, or `targeted at “gibbon”`. */
export const goalInWords = (goal: Goal, classes: readonly string[]): string =>
  goal.kind === 'untargeted' ? 'untargeted' : `targeted at ${className(goal.target, classes)}`;

/** A time span: `0.42 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${significant(seconds, 2)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** An instant in UTC: `23 Nov 2026, 19:10 UTC`. */
export function instant(iso: string): string {
  const at = new Date(iso);
  const clock = at.toISOString().slice(11, 16);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}, ${clock} UTC`;
}

/** `a`, `a and b`, `a, b and c` */
export const enumerate = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** Words as a sentence of their own: a capital in front, a full stop behind. */
export function asSentence(words: string): string {
  const [first = '', ...rest] = words;
  return `${first.toUpperCase()}${rest.join('')}${/[.!?]$/.test(words) ? '' : '.'}`;
}

/** A name cut to `length` characters, the last of which then is `…`. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

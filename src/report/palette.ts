/**
 * Colours, dashes and markers. The hues are Okabe and Ito's ("Color Universal Design", 2008), darkened for white paper and
 * lightened for black until even their small labels reach 4.5:1; no line is told apart by colour alone.
 */

export interface Ink {
  readonly light: string;
  readonly dark: string;
}

export const PAPER: Ink = { light: '#ffffff', dark: '#15171b' };
/** Results under attack, wherever they stand for the worst case. Readable as text: 4.5:1. */
export const ATTACKED: Ink = { light: '#b84a00', dark: '#ff9450' };
export const INK: Ink = { light: '#1c1e22', dark: '#eceef1' };
export const MUTED: Ink = { light: '#5b626c', dark: '#a3aab5' };
export const RULE: Ink = { light: '#dcdfe4', dark: '#33373f' };

const MARKERS = ['circle', 'square', 'diamond', 'triangle', 'cross'] as const;
export type Marker = (typeof MARKERS)[number];

export interface LineStyle {
  readonly ink: Ink;
  /** `stroke-dasharray`; empty for a solid line. */
  readonly dash: string;
  readonly marker: Marker;
  /** The class by which the page's style sheet recolours it in the dark. */
  readonly name: string;
}

const HUES: readonly Ink[] = [
  { light: '#0072b2', dark: '#4ba3e0' },
  { light: '#00805b', dark: '#1fbf92' },
  { light: '#b3558d', dark: '#dc94bd' },
  { light: '#9c6800', dark: '#e69f00' },
  { light: '#1f7aad', dark: '#8fd0f5' },
  { light: '#7c7300', dark: '#f0e442' },
];

const DASHES = ['', '7 3', '2 3', '9 3 2 3'];

/** The baseline that aims at nothing: grey and dotted, so that it stays behind the attacks. */
export const BASELINE: LineStyle = { ink: MUTED, dash: '1 4', marker: 'cross', name: 'baseline' };

/** The style of the i-th attack. Styles repeat after 60: hue, dash and marker turn at different speeds. */
export function lineStyle(i: number): LineStyle {
  const hue = i % HUES.length;
  return {
    ink: HUES[hue] ?? MUTED,
    dash: DASHES[(i + Math.floor(i / 12)) % DASHES.length] ?? '',
    marker: MARKERS[i % 4] ?? 'circle',
    name: `hue-${hue}`,
  };
}

/** Names of colours: `f-NAME` and `s-NAME` are the classes of what is filled or stroked with them. */
export const INKS: Readonly<Record<string, Ink>> = {
  paper: PAPER,
  ink: INK,
  muted: MUTED,
  rule: RULE,
  attacked: ATTACKED,
  baseline: MUTED,
  ...Object.fromEntries(HUES.map((ink, i) => [`hue-${i}`, ink])),
};

/** The quantisation tables of ITU-T T.81 (the JPEG standard), annex K.1, scaled by quality as libjpeg does. */

/** Tables K.1 and K.2, row by row: the vertical frequency rises downwards, the horizontal one to the right. */
const LUMINANCE = [
  ...[16, 11, 10, 16, 24, 40, 51, 61],
  ...[12, 12, 14, 19, 26, 58, 60, 55],
  ...[14, 13, 16, 24, 40, 57, 69, 56],
  ...[14, 17, 22, 29, 51, 87, 80, 62],
  ...[18, 22, 37, 56, 68, 109, 103, 77],
  ...[24, 35, 55, 64, 81, 104, 113, 92],
  ...[49, 64, 78, 87, 103, 121, 120, 101],
  ...[72, 92, 95, 98, 112, 100, 103, 99],
];

const CHROMINANCE = [
  ...[17, 18, 24, 47, 99, 99, 99, 99],
  ...[18, 21, 26, 66, 99, 99, 99, 99],
  ...[24, 26, 56, 99, 99, 99, 99, 99],
  ...[47, 66, 99, 99, 99, 99, 99, 99],
  ...[99, 99, 99, 99, 99, 99, 99, 99],
  ...[99, 99, 99, 99, 99, 99, 99, 99],
  ...[99, 99, 99, 99, 99, 99, 99, 99],
  ...[99, 99, 99, 99, 99, 99, 99, 99],
];

const TABLES = { luminance: LUMINANCE, chrominance: CHROMINANCE } as const;
export type Component = keyof typeof TABLES;

/** The 64 steps of a component's frequencies at a quality from 1 to 100; 50 gives the standard's own, 100 steps of 1. */
export function quantisation(component: Component, quality: number): number[] {
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return TABLES[component].map((step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
}

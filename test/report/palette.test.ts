import { describe, expect, test } from 'vitest';
import { BASELINE, INKS, lineStyle, PAPER } from '../../src/report/palette.ts';

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

describe.each(['light', 'dark'] as const)('on %s paper', (side) => {
  test.each(Object.entries(INKS).filter(([name]) => name !== 'paper' && name !== 'rule'))(
    '%s stands out 4.5:1, for its labels are small text',
    (_name, ink) => expect(contrast(ink[side], PAPER[side])).toBeGreaterThanOrEqual(4.5),
  );
});

test('the first twelve lines and the baseline differ by more than colour', () => {
  const styles = [BASELINE, ...Array.from({ length: 12 }, (_, i) => lineStyle(i))];
  const shapes = styles.map(({ dash, marker, ink }) => `${dash} ${marker} ${ink.light}`);
  expect(new Set(shapes).size).toBe(styles.length);
  const neighbours = styles.map(({ dash, marker }) => `${dash} ${marker}`);
  for (const [i, shape] of neighbours.entries()) expect(neighbours[i + 1]).not.toBe(shape);
});

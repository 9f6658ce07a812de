import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { type Colour, drawSvg, type Pen } from '../../src/report/svg.ts';

const black: Colour = { ink: { light: '#000000', dark: '#ffffff' }, name: 'ink' };
const WORDS = { id: 'drawing', title: 'A line', description: 'From corner to corner.' };
const line = (pen: Pen): void => pen.line([0, 0], [10, 20], { ...black, width: 1 });

test('a drawing holds its own words and lines alone, whatever was drawn before it, to its end or not', () => {
  const first = String(drawSvg(10, 20, WORDS, line));
  expect(first.match(/<svg|<line/g)).toEqual(['<svg', '<line']);
  drawSvg(30, 40, { ...WORDS, title: 'Another' }, (pen) => pen.text([1, 1], 'words', { size: 9, colour: black }));
  const breakOff = (pen: Pen): void => {
    line(pen);
    throw new Error('the pen broke');
  };
  expect(() => drawSvg(10, 20, WORDS, breakOff)).toThrow('the pen broke');
  expect(String(drawSvg(10, 20, WORDS, line))).toBe(first);
});

test('drawings leave nothing behind in memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const drawMany = (): void => {
    for (let i = 0; i < 20; i++) drawSvg(10, 20, WORDS, (pen) => Array.from({ length: 500 }, () => line(pen)));
  };
  drawMany();
  const before = used();
  drawMany();
  expect(used() - before).toBeLessThan(5e6);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wrap } from '../../src/report/lines.ts';

describe('wrapped lines', () => {
  const word = fc.constantFrom(
    'falls',
    'from',
    'to',
    '95.0 %',
    '55.0 % [38.2–70.7]',
    'L∞ ε = 0.3',
    'σ = 0.25',
    '=',
    '%',
  );
  const text = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(' '));

  test('say what the text says, and are no longer than asked unless one word is', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 80 }), (words, width) => {
        const lines = wrap(words, width);
        expect(lines.join(' ')).toBe(words);
        for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true);
      }),
    );
  });

  test('never part a number and its unit, an interval, or a quantity and its value, where a line holds them', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 40, max: 80 }), (words, width) => {
        const lines = wrap(words.replace(/(?<![\dσε]) [=%]/g, ''), width);
        for (const line of lines.slice(1)) expect(line).not.toMatch(/^([%[=ε]|0\.)/);
      }),
    );
  });

  test('read like this', () => {
    expect(wrap('VGG-16 falls from 95.0 % to 55.0 % [38.2–70.7] at L∞ ε = 0.3.', 22)).toEqual([
      ...['VGG-16 falls from', '95.0 % to', '55.0 % [38.2–70.7] at', 'L∞ ε = 0.3.'],
    ]);
    expect(wrap('from 95.0 % to', 4)).toEqual(['from', '95.0', '% to']);
  });
});

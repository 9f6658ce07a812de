import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asSentence,
  compact,
  counted,
  duration,
  fraction,
  instant,
  interval,
  megabytes,
  percent,
  points,
  radius,
  rate,
  shorten,
  whole,
} from '../../src/report/format.ts';

test('one thing is counted in the singular, none and several in the plural', () => {
  expect([0, 1, 1000].map((count) => counted(count, 'image'))).toEqual(['0 images', '1 image', '1,000 images']);
  expect(counted(2, 'batch', 'batches')).toBe('2 batches');
});

describe('a percentage', () => {
  test('is 0.0 % or 100.0 % only for none or all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60_000 }), fc.nat(), (images, draw) => {
        const correct = draw % (images + 1);
        const shown = percent(correct / images);
        expect(shown === '0.0 %').toBe(correct === 0);
        expect(shown === '100.0 %').toBe(correct === images);
      }),
    );
  });

  test.each([
    [0.473, '47.3 %'],
    [0.0004, '<0.1 %'],
    [0.9996, '>99.9 %'],
    [1, '100.0 %'],
  ])('%f is %s', (share, text) => expect(percent(share)).toBe(text));
});

test('an interval is its two ends, a difference has its sign', () => {
  expect(interval([0.4421, 0.5041])).toBe('44.2–50.4');
  expect(points(-0.009)).toBe('−0.9');
  expect(points(0.941)).toBe('+94.1');
  expect(points(-0.0001)).toBe('0.0');
});

test.each([
  [0.3, '0.3'],
  [0.1 + 0.2, '0.3'],
  [8 / 255, '8/255'],
  [Math.fround(8 / 255), '8/255'],
  [0.25 / 255, '0.25/255'],
  [0.125 / 255, '0.125/255'],
  [Math.fround(1.5 / 255), '1.5/255'],
  [0.2, '0.2'],
  [0.125, '0.125'],
  [Math.fround(0.3), '0.3'],
  [0.3 / 255, '0.001176'],
  [1, '1'],
  [0, '0'],
  [0.0316227766, '0.03162'],
  [1.5, '1.5'],
])('the radius %f is written %s', (epsilon, text) => expect(radius(epsilon)).toBe(text));

test('a radius is written as what it is, in four digits at least', () => {
  const radii = fc.oneof(
    fc.double({ min: 1e-6, max: 1e3, noNaN: true }),
    fc.integer({ min: 1, max: 2040 }).map((eighths) => eighths / 8 / 255),
  );
  fc.assert(
    fc.property(radii, (epsilon) => {
      const [above = '', below = '1'] = radius(epsilon).split('/');
      expect(Math.abs(Number(above) / Number(below) / epsilon - 1)).toBeLessThan(1e-3);
    }),
  );
});

test.each([
  [0, '0 s'],
  [0.4234, '0.42 s'],
  [9.96, '10 s'],
  [59.6, '1 min 0 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
])('%f seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));

test('whole numbers are grouped, instants are in UTC, names are cut by characters, words become a sentence', () => {
  expect([0, 999, 1000, 12_345_678].map(whole)).toEqual(['0', '999', '1,000', '12,345,678']);
  expect([0, 0.4567, 999, 999.6, 232_298, 999_499, 999_500, 61_100_840, 15_470_264_320].map(compact)).toEqual([
    ...['0', '0.457', '999', '1 k', '232 k', '999 k', '1 M', '61.1 M', '15.5 G'],
  ]);
  expect([1, 1 / 8, 3 / 16, 1 / 6, 0.12345].map(fraction)).toEqual(['1', '1/8', '3/16', '1/6', '0.123']);
  expect([0, 0.04567, 45.67, 999.6, 12_345].map(rate)).toEqual(['0', '0.0457', '45.7', '1,000', '12,300']);
  expect([0, 1_499_999, 312.4e6, 2.5e9].map(megabytes)).toEqual(['0 MB', '1 MB', '312 MB', '2,500 MB']);
  expect(instant('2026-11-23T19:10:04.000Z')).toBe('23 Nov 2026, 19:10 UTC');
  expect(shorten('🦧🦧🦧🦧', 3)).toBe('🦧🦧…');
  expect(asSentence('any iterate')).toBe('Any iterate.');
});

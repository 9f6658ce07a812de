import { beforeAll, describe, expect, it } from 'vitest';
import { medianFilter } from '../../src/core/median-filter.ts';
import { tf } from '../../src/tf.ts';
import { randomValues } from '../evaluate/fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const SHAPE = [2, 6, 5, 3] as const;
const [IMAGES, HEIGHT, WIDTH, CHANNELS] = SHAPE;
const SIZE = IMAGES * HEIGHT * WIDTH * CHANNELS;
/** With many pixels alike, as images have. */
const pixels = randomValues(SIZE, 3, 'uniform').map((value) => Math.round(value * 8) / 8);
const at = (image: number, row: number, column: number, channel: number): number =>
  ((image * HEIGHT + row) * WIDTH + column) * CHANNELS + channel;

/** d c b a | a b c d | d c b a. */
const inside = (i: number, length: number): number => (i < 0 ? -1 - i : i >= length ? 2 * length - 1 - i : i);

/** Pixel by pixel: indices of the neighbourhood, sorted by their values. */
function neighbours(image: number, row: number, column: number, channel: number, size: number): number[] {
  const before = Math.floor(size / 2);
  const steps = Array.from({ length: size }, (_, i) => i - before);
  const found = steps.flatMap((down) =>
    steps.map((right) => at(image, inside(row + down, HEIGHT), inside(column + right, WIDTH), channel)),
  );
  return found.sort((a, b) => (pixels[a] as number) - (pixels[b] as number));
}

const filtered = (size: number): number[] =>
  Array.from(tf.tidy(() => medianFilter(tf.tensor4d(pixels, [...SHAPE]), size).dataSync()));

function places(): [number, number, number, number][] {
  const all: [number, number, number, number][] = [];
  for (let i = 0; i < IMAGES; i++)
    for (let row = 0; row < HEIGHT; row++)
      for (let column = 0; column < WIDTH; column++)
        for (let channel = 0; channel < CHANNELS; channel++) all.push([i, row, column, channel]);
  return all;
}

describe('the median filter', () => {
  it.each([1, 2, 3, 4, 5])('of side %i is the middle of each sorted neighbourhood, exactly', (size) => {
    const expected = places().map(
      (place) => pixels[neighbours(...place, size)[Math.floor((size * size) / 2)] as number],
    );
    expect(filtered(size)).toEqual(expected);
  });

  it('leads the gradient to the pixel that is the median, and to no other', () => {
    const distinct = Float32Array.from({ length: SIZE }, (_, i) => ((i * 37) % SIZE) / SIZE);
    const weights = randomValues(SIZE, 5);
    const gradient = tf.tidy(() =>
      tf
        .grad((x) =>
          medianFilter(x as tf.Tensor4D, 3)
            .mul(tf.tensor4d(weights, [...SHAPE]))
            .sum(),
        )(tf.tensor4d(distinct, [...SHAPE]))
        .dataSync(),
    );
    // By hand: all of a result's weight goes to where its value stands, for no two pixels are alike.
    const expected = new Float32Array(SIZE);
    const values = tf.tidy(() => medianFilter(tf.tensor4d(distinct, [...SHAPE]), 3).dataSync());
    const owner = new Map(Array.from(distinct, (value, i) => [value, i]));
    values.forEach((value, i) => {
      const source = owner.get(value) as number;
      expected[source] = (expected[source] as number) + (weights[i] as number);
    });
    gradient.forEach((entry, i) => {
      expect(entry).toBeCloseTo(expected[i] as number, 5);
    });
  });
});

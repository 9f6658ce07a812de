import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaleColumns, scaleRows, tapsOf } from '../../src/data/resize.ts';

/** A picture that a formula gives, so that other programs can make it as well. */
function picture(width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.set([x * x * 7 + y * 13 + x * y, x * 31 + y * y * 5, (x ^ y) * 37 + x * 3], (y * width + x) * 3);
    }
  }
  return pixels;
}

interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A part of the picture scaled to `toWidth` x `toHeight`. */
function scale(pixels: Uint8Array, width: number, height: number, toWidth: number, toHeight: number, part?: Part) {
  const { left, top, ...size } = part ?? { left: 0, top: 0, width: toWidth, height: toHeight };
  const rows = new Uint8Array(height * size.width * 3);
  scaleRows(pixels, { width, first: 0 }, tapsOf(width, toWidth, left, size.width), rows);
  return scaleColumns(rows, { width: size.width, first: 0 }, tapsOf(height, toHeight, top, size.height));
}

/** `Image.fromarray(picture).resize((toWidth, toHeight), Image.BILINEAR)` of Pillow 12.3, its bytes in base64. */
const PILLOW: readonly [width: number, height: number, toWidth: number, toHeight: number, pixels: string][] = [
  [9, 7, 4, 3, 'FCAtTV5rkKaXj9CBMkxpbolBmKp7jFqoUKGKjKB5cmZGdWVz'],
  [
    5,
    4,
    11,
    9,
    'AAAAAQYHBBQZCSIsEjA+HD5QLExiPFp0UWiHZ3aZcHygAgEGAwcLBhUXCyMnFTE/Hz9WL01jP1tvVGmFanedc32mCAMXCQkWDRcTEiUZGzNAJUFnNU9kRl1iW2uAcXmnen+3DgYnDwwiExoUGCgSIjZALERvPFJiTWBUYm57eXyxgoLHFA04FRM4GSE5Hi87KT08M0s+Q1k/VGdAanV3gYO8ionYGRNIGxlOHydeJDVjL0M4OVEMSl8cW20scXtziInHkY/oHx5YISRaJTJfKkBcNU44QFwUUWoaYngeeIZKkJSAmZqVJSlpJy9lKz1bMUtPPFk5RmclV3UbaYMRf5Ecl58toKU0Jy1vKTNpLUFZM09KPl06SWsrWnkcbIcMgpULmqMOo6kP',
  ],
  [
    17,
    6,
    8,
    8,
    'CBgfN1NrpZS/ntNie1lrmlyvjZ1EIdhhERsiQVZrj5eegdaAiVxte1+LgaBnM9tkGyM0TV5fiJ+Bd8ecmU15cWdog6h5SLxvJS9QWWpElat2hqCtojSKfHNQlrRsXYmHL0JUZH0io76RlVy1gUSKZ4ZQqsdCcpy8OluQcJZIsLZVfj2bY12jZ59Kfp5nh1WURHmkfLRqlJc1cj6LXXuycrZGa22BnTl5TZWMhtB3Wm5AeFOKa5exgsdGe0mBrlV8',
  ],
  [
    8,
    8,
    8,
    8,
    'AAAABx8oHD5QP114cHygr5vI/LrwV9kYDQUlFSQDK0N1T2JTgYHFwaCjD78Va97zGhRKIzNyOlIGX3EukpDq068SIs6mf+3OJy1vMUxNSWsrb4oJo6kP5cjtNefLkwapNFCUP2+8WI7kf60MtMwM9+s0SApcpymEQX25TZyXZ7sJj9rnxfkxCRgPWzeBu1ZfTrTeW9MGdvKanxHC1jBWG09+bm4Sz406W/UDaRThhTO/r1Kd53F7LZBZga83484V',
  ],
  [
    23,
    31,
    5,
    7,
    'T2VZhoyHgHpxaYCHbIGEeoh5hX5lg354kHh2lnmKmYJqgYF6fnxrbX6DeHyVlHp/fnl+hYSEjoFug4ODZn51g3yDhn2GZ4V9e4VwdIuJhHx7hYp3nGh5hqCJj455fXKTf4h9ZWOEd5x6',
  ],
  [3, 2, 3, 7, 'AAAABx8oHD5QAAAABx8oHD5QAwEICiAgHz9YBwMTDiIWJEFjCgQdEiMLKEJtDQUlFSQDK0N1DQUlFSQDK0N1'],
  [40, 3, 7, 2, 'SVxmjI9/dIt3inmMfXF9hY9ukXeDUmhei4CDbIZ9VXuGd315j4p4w3h1'],
  [1, 1, 3, 3, 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  [
    6,
    5,
    7,
    5,
    'AAAABhgfFDNCLk5kUWiGfYOpr5vIDQUlEx0KIzhMPVNkYW18j4i+waCjGhRKISxpMkctTWIacXxxoJe8068SJy1vL0VUQGA3XHsagpULsbA/5cjtNFCUPWizT4PWbJ54krgMwtMV9+s0',
  ],
];

describe('scaling', () => {
  it.each(PILLOW)(
    '%i x %i to %i x %i gives the bytes that Pillow gives',
    (width, height, toWidth, toHeight, pixels) => {
      const scaled = scale(picture(width, height), width, height, toWidth, toHeight);
      expect(Buffer.from(scaled).toString('base64')).toBe(pixels);
    },
  );

  const side = fc.integer({ min: 1, max: 24 });

  it('leaves one colour as it is', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.nat(255), (width, height, toWidth, toHeight, level) => {
        const scaled = scale(new Uint8Array(width * height * 3).fill(level), width, height, toWidth, toHeight);
        expect(scaled).toHaveLength(toWidth * toHeight * 3);
        expect(scaled.every((value) => value === level)).toBe(true);
      }),
    );
  });

  it('to the same size changes nothing', () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        const pixels = picture(width, height);
        expect(scale(pixels, width, height, width, height)).toEqual(pixels);
      }),
    );
  });

  it('of a part is that part of the whole', () => {
    const [width, height, toWidth, toHeight] = [23, 17, 9, 12];
    const pixels = picture(width, height);
    const whole = scale(pixels, width, height, toWidth, toHeight);
    const part = { left: 2, top: 5, width: 4, height: 3 };
    const rows = Array.from({ length: part.height }, (_, y) => {
      const from = ((part.top + y) * toWidth + part.left) * 3;
      return [...whole.subarray(from, from + part.width * 3)];
    });
    expect([...scale(pixels, width, height, toWidth, toHeight, part)]).toEqual(rows.flat());
  });
});

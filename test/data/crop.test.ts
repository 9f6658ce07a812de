import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cropOf } from '../../src/data/crop.ts';

/** What `Resize(resize)` and `CenterCrop(crop)` of torchvision 0.28 compute: size, then offsets. */
const TORCHVISION: readonly (readonly number[])[] = [
  [500, 375, 256, 224, 341, 256, 58, 16],
  [500, 353, 256, 224, 362, 256, 69, 16],
  [401, 500, 256, 224, 256, 319, 16, 48],
  [500, 360, 256, 224, 355, 256, 66, 16],
  [640, 480, 232, 224, 309, 232, 42, 4],
  [95, 95, 256, 224, 256, 256, 16, 16],
  [2000, 3000, 256, 224, 256, 384, 16, 80],
  [1, 1000, 256, 224, 256, 256_000, 16, 127_888],
  [299, 227, 256, 227, 337, 256, 55, 14],
];

describe('the part of a photograph that a network sees', () => {
  it.each(TORCHVISION)('of %i x %i, short side %i, crop %i, is where torchvision cuts it', (...row) => {
    const [width = 0, height = 0, resize = 0, side = 0, ...expected] = row;
    const { scaled, left, top } = cropOf({ width, height }, { input: [side, side, 3], resize });
    expect([scaled.width, scaled.height, left, top]).toEqual(expected);
  });

  it('lies inside the scaled photograph, also where that had to be made larger to hold it', () => {
    const side = fc.integer({ min: 1, max: 400 });
    fc.assert(
      fc.property(side, side, side, side, side, (width, height, rows, columns, resize) => {
        const crop = cropOf({ width, height }, { input: [rows, columns, 3], resize });
        expect([crop.height, crop.width]).toEqual([rows, columns]);
        expect(Math.min(crop.left, crop.top)).toBeGreaterThanOrEqual(0);
        expect(crop.left + columns).toBeLessThanOrEqual(crop.scaled.width);
        expect(crop.top + rows).toBeLessThanOrEqual(crop.scaled.height);
      }),
    );
  });

  it('is the whole width of a photograph that is scaled to fit', () => {
    const { scaled, left } = cropOf({ width: 100, height: 300 }, { input: [299, 299, 3], resize: 256 });
    expect([scaled.width, scaled.height, left]).toEqual([299, 897, 0]);
  });
});

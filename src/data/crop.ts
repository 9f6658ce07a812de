/** Where in a photograph the part lies that a network sees, as torchvision's `Resize` and `CenterCrop` have it. */
import type { PhotoForm } from '../core/dataset.ts';

/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Crop {
  /** What the whole photograph is scaled to. */
  readonly scaled: Size;
  /** The part of it that is cut out. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Short side to exactly `resize`, long side to ⌊resize · long / short⌋, then the centre. Where the crop is larger than
 * that, torchvision adds black borders, which no network was trained on; here the photograph is scaled until it covers it.
 */
export function cropOf(photo: Size, { input, resize }: Pick<PhotoForm, 'input' | 'resize'>): Crop {
  const [height, width] = input;
  const short = Math.min(photo.width, photo.height);
  let scaled = {
    width: Math.trunc((resize * photo.width) / short),
    height: Math.trunc((resize * photo.height) / short),
  };
  if (scaled.width < width || scaled.height < height) {
    const factor = Math.max(width / photo.width, height / photo.height);
    scaled = {
      width: Math.max(width, Math.trunc(factor * photo.width)),
      height: Math.max(height, Math.trunc(factor * photo.height)),
    };
  }
  return {
    scaled,
    left: halfToEven(scaled.width - width),
    top: halfToEven(scaled.height - height),
    width,
    height,
  };
}

/** n / 2 as Python rounds it: a half goes to the even neighbour. */
function halfToEven(n: number): number {
  const below = Math.floor(n / 2);
  return n % 2 !== 0 && below % 2 !== 0 ? below + 1 : below;
}

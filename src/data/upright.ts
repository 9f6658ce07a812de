/** How the rows and columns of an upright picture lie in the file, by the orientation of its EXIF header, 1 to 8. */
interface Orientation {
  /** Whether a row of the picture is a column of the file. */
  readonly transposed: boolean;
  /** Whether the file's rows come from the bottom up. */
  readonly bottomUp: boolean;
  /** Whether the file's columns come from right to left. */
  readonly rightToLeft: boolean;
}

/** Exif 2.3 (CIPA DC-008-2012), section 4.6.4 A, tag 274: where the file's first row and first column belong. */
const ORIENTATIONS: readonly Orientation[] = [
  { transposed: false, bottomUp: false, rightToLeft: false },
  { transposed: false, bottomUp: false, rightToLeft: true },
  { transposed: false, bottomUp: true, rightToLeft: true },
  { transposed: false, bottomUp: true, rightToLeft: false },
  { transposed: true, bottomUp: false, rightToLeft: false },
  { transposed: true, bottomUp: true, rightToLeft: false },
  { transposed: true, bottomUp: true, rightToLeft: true },
  { transposed: true, bottomUp: false, rightToLeft: true },
];

const orientationOf = (number: number): Orientation => ORIENTATIONS[number - 1] ?? (ORIENTATIONS[0] as Orientation);

/** Whether height and width change places when the picture is put upright. */
export const isTransposed = (orientation: number): boolean => orientationOf(orientation).transposed;

/**
 * A picture put upright, as the camera was held.
 *
 * @param pixels - RGB, `height` rows of `width`, as in the file
 */
export function upright(pixels: Uint8Array, height: number, width: number, orientation: number): Uint8Array {
  const { transposed, bottomUp, rightToLeft } = orientationOf(orientation);
  if (!transposed && !bottomUp && !rightToLeft) return pixels;
  const [rows, columns] = transposed ? [width, height] : [height, width];
  const turned = new Uint8Array(pixels.length);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [down, across] = transposed ? [column, row] : [row, column];
      const y = bottomUp ? height - 1 - down : down;
      const x = rightToLeft ? width - 1 - across : across;
      const from = (y * width + x) * 3;
      for (let channel = 0; channel < 3; channel++) turned[to++] = pixels[from + channel] as number;
    }
  }
  return turned;
}

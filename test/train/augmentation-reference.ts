/** The augmentations once more, pixel by pixel in float64, as their papers say them. */
import type { ChosenAugmentation } from '../../src/train/augment.ts';
import type { ChannelStatistics } from '../../src/train/channel-statistics.ts';

export interface Image {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The draws of one image, in the order in which they are asked for. */
type Draws = readonly Float32Array[];

export interface Reference {
  readonly tolerance: number;
  apply(image: Image, draws: Draws): Float64Array;
}

type Colour = readonly [red: number, green: number, blue: number];

const [A, B] = [Math.cos(0.7), Math.sin(0.7)];
/** Principal colours: eigenvectors pᵢ, orthonormal, with eigenvalues λᵢ of very different size. */
const PRINCIPAL: readonly { readonly vector: Colour; readonly value: number }[] = [
  { vector: [A, B, 0], value: 0.16 },
  { vector: [-0.6 * B, 0.6 * A, 0.8], value: 0.01 },
  { vector: [0.8 * B, -0.8 * A, 0.6], value: 0.002 },
];
const AXES = [0, 1, 2] as const;

export const STATISTICS: ChannelStatistics = {
  mean: [0.5, 0.4, 0.3],
  covariance: AXES.map((row) =>
    AXES.map((column) => PRINCIPAL.reduce((sum, { vector, value }) => sum + value * vector[row] * vector[column], 0)),
  ),
};

const at = ({ values, height, width, channels }: Image, row: number, column: number, channel: number): number =>
  row < 0 || row >= height || column < 0 || column >= width
    ? 0
    : (values[(row * width + column) * channels + channel] as number);

function each(image: Image, value: (row: number, column: number, channel: number) => number): Float64Array {
  const { height, width, channels } = image;
  return Float64Array.from({ length: height * width * channels }, (_, i) =>
    value(Math.floor(i / channels / width), Math.floor(i / channels) % width, i % channels),
  );
}

const draw = (draws: Draws, index: number): number => draws[index]?.[0] as number;

/** The pixel seen at `place`: a triangle over its neighbours, as wide as the scale makes pixels small; nothing outside. */
function seenAt(line: readonly number[], place: number, scale: number): number {
  if (place < -0.5 || place > line.length - 0.5) return 0;
  const weights = line.map((_, i) => Math.max(0, 1 - Math.abs(place - i) * Math.min(1, scale)));
  const total = weights.reduce((a, b) => a + b);
  return line.reduce((sum, value, i) => sum + (value * (weights[i] as number)) / total, 0);
}

/** The definition of an augmentation. */
export function referenceOf({ augmentation: { name }, params }: ChosenAugmentation): Reference {
  const of = (key: string): number => params[key] as number;
  switch (name) {
    case 'translation':
      return {
        tolerance: 0,
        apply: (image, draws) => {
          const shift = (index: number): number =>
            Math.floor(draw(draws, index) * (2 * of('pixels') + 1)) - of('pixels');
          return each(image, (row, column, channel) => at(image, row + shift(0), column + shift(1), channel));
        },
      };
    case 'reflection':
      return {
        tolerance: 0,
        apply: (image, draws) =>
          each(image, (row, column, channel) =>
            at(image, row, draw(draws, 0) < of('share') ? image.width - 1 - column : column, channel),
          ),
      };
    case 'scale-jitter':
      return {
        tolerance: 1e-5,
        apply: (image, draws) => {
          const scale = of('least') + draw(draws, 0) * (of('most') - of('least'));
          const place = (index: number, size: number, d: number): number =>
            (index + 0.5 + draw(draws, d) * (scale - 1) * size) / scale - 0.5;
          return each(image, (row, column, channel) => {
            const rows = Array.from({ length: image.height }, (_, r) => {
              const line = Array.from({ length: image.width }, (__, c) => at(image, r, c, channel));
              return seenAt(line, place(column, image.width, 2), scale);
            });
            return seenAt(rows, place(row, image.height, 1), scale);
          });
        },
      };
    case 'colour':
      return {
        tolerance: 1e-5,
        apply: (image, draws) => {
          // The random vector in the basis of the principal colours has the same distribution: these are the paper's α.
          const normal = draws[0] as Float32Array;
          const added = PRINCIPAL.map(({ vector, value }) => {
            const alpha =
              of('deviation') * AXES.reduce<number>((sum, axis) => sum + vector[axis] * (normal[axis] as number), 0);
            return vector.map((part) => alpha * value * part);
          });
          const change = (channel: number): number => added.reduce((sum, part) => sum + (part[channel] as number), 0);
          return each(image, (row, column, channel) =>
            Math.min(1, Math.max(0, at(image, row, column, channel) + change(channel))),
          );
        },
      };
    default:
      throw new Error(`${name} has no reference: write its definition here`);
  }
}

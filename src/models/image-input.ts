/** How images [H, W, C] in [0,1] become what a user's model takes: their shape, and the scaling of their pixels. */
import type { ImageShape } from '../core/classifier.ts';
import type { UserError } from '../core/errors.ts';
import type { InputScaling, PerChannel } from '../core/user-network.ts';
import { tf } from '../tf.ts';

export interface ImageInput {
  readonly image: ImageShape;
  /** What the model takes of one image; as many numbers. */
  readonly taken: readonly number[];
}

/** Far more than any network takes: a model may claim any size, and images of it are made. */
export const LARGEST = 8192;

type Refuse = (why: string) => UserError;
type Sizes = readonly (number | null)[];

/**
 * The images of a model.
 *
 * @param taken - the shape of one image as the model has it, `null` where it is open; undefined if it says nothing
 * @param stated - what its owner says
 * @throws UserError if the two differ, if something is left open or of a size that no image has, or if channels come first
 */
export function imageInput(taken: Sizes | undefined, stated: ImageShape | undefined, refuse: Refuse): ImageInput {
  const input = matched(taken, stated, refuse);
  const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 1 && n <= LARGEST;
  if (input.image.every(isSize)) return input;
  throw refuse(`it takes images of [${input.image.join(', ')}]; sizes are whole numbers from 1 to ${LARGEST}`);
}

function matched(taken: Sizes | undefined, stated: ImageShape | undefined, refuse: Refuse): ImageInput {
  const shown = `[${taken?.map((n) => n ?? '?').join(', ')}]`;
  const open = (): UserError =>
    refuse(
      `it takes images of any size (${taken === undefined ? 'no shape is given' : shown}); state input: [height, width, channels]`,
    );
  if (taken === undefined) {
    if (stated === undefined) throw open();
    refuseChannelsFirst(stated, refuse);
    return { image: stated, taken: stated };
  }
  if (taken.length === 3) {
    const sizes = taken.map((n, i) => n ?? stated?.[i]);
    if (sizes.includes(undefined)) throw open();
    const image = sizes as unknown as ImageShape;
    refuseChannelsFirst(image, refuse);
    if (stated !== undefined && stated.join() !== image.join()) {
      throw refuse(`it takes images of ${shown}, and input says [${stated.join(', ')}]`);
    }
    return { image, taken: image };
  }
  return withoutChannels(taken, stated, refuse);
}

/** A model that takes [H, W], or a row of numbers: row by row, as the image lies in memory. */
function withoutChannels(taken: Sizes, stated: ImageShape | undefined, refuse: Refuse): ImageInput {
  const [height, width] = taken;
  const image = stated ?? (taken.length === 2 ? ([height, width, 1] as ImageShape) : undefined);
  const numbers = taken.reduce<number>((product, n) => product * (n ?? Number.NaN), 1);
  const shown = `[${taken.map((n) => n ?? '?').join(', ')}]`;
  if (image === undefined || taken.length > 2 || Number.isNaN(numbers)) {
    throw refuse(`it takes ${shown} for an image; state input: [height, width, channels] of as many numbers`);
  }
  if (image.reduce((a, b) => a * b) !== numbers) {
    throw refuse(`it takes ${numbers} numbers for an image, and input says [${image.join(', ')}]`);
  }
  return { image, taken: taken as readonly number[] };
}

const COLOURS: readonly number[] = [1, 3];

function refuseChannelsFirst(image: ImageShape, refuse: Refuse): void {
  const [first, second, last] = image;
  if (!COLOURS.includes(first) || COLOURS.includes(last) || second <= 4 || last <= 4) return;
  throw refuse(
    `it takes images of [${image.join(', ')}], channels first; images are [height, width, channels] here: ` +
      'convert it with channels last (NHWC)',
  );
}

/**
 * The scaling as a function of images [B, H, W, C].
 *
 * @throws UserError if there is not one number for each channel, or a std is not above 0
 */
export function scalingOf(
  scaling: InputScaling | undefined,
  [, , channels]: ImageShape,
  refuse: Refuse,
): (x: tf.Tensor4D) => tf.Tensor4D {
  if (scaling === undefined) return (x) => x;
  const tensorOf = (what: string, value: PerChannel): (() => tf.Tensor) => {
    const values = typeof value === 'number' ? [value] : [...value];
    if (typeof value !== 'number' && values.length !== channels) {
      throw refuse(`normalisation has ${values.length} numbers for ${what}, and images have ${channels} channels`);
    }
    return () => tf.tensor1d(values);
  };
  if ('scale' in scaling) {
    const [scale, offset] = [tensorOf('scale', scaling.scale), tensorOf('offset', scaling.offset)];
    return (x) => x.mul(scale()).add(offset());
  }
  const [mean, std] = [tensorOf('mean', scaling.mean), tensorOf('std', scaling.std)];
  if (![scaling.std].flat().every((value) => (value as number) > 0))
    throw refuse('normalisation has a std that is not above 0');
  return (x) => x.sub(mean()).div(std());
}

/** The augmentations by name, and several of them as one change of the images. */
import type { Noise } from '../core/ball.ts';
import { unknownName } from '../core/errors.ts';
import { type Params, resolveParams, type Values } from '../core/params.ts';
import type { tf } from '../tf.ts';
import type { Augmentation } from './augmentation.ts';
import { colour } from './augmentations/colour.ts';
import { reflection } from './augmentations/reflection.ts';
import { scaleJitter } from './augmentations/scale-jitter.ts';
import { translation } from './augmentations/translation.ts';
import type { ChannelStatistics } from './channel-statistics.ts';

export const augmentations: readonly Augmentation[] = [translation, reflection, scaleJitter, colour];

/** An augmentation as a training uses it. */
export interface ChosenAugmentation {
  readonly augmentation: Augmentation;
  readonly params: Values<Params>;
}

/**
 * The augmentation of that name with its parameters laid over the defaults, checked.
 *
 * @throws UserError (usage) for an unknown name, or a parameter that it has not or does not accept
 */
export function augmentationOf(name: string, given: Readonly<Record<string, unknown>> = {}): ChosenAugmentation {
  const augmentation = augmentations.find((known) => known.name === name);
  if (augmentation === undefined) {
    throw unknownName(
      'augmentation',
      name,
      augmentations.map((known) => known.name),
    );
  }
  const params = resolveParams(name, augmentation.params, given);
  augmentation.check?.(params);
  return { augmentation, params };
}

/** One after the other, in the order given. */
export const augment =
  (chosen: readonly ChosenAugmentation[], statistics: ChannelStatistics | undefined) =>
  (x: tf.Tensor4D, noise: Noise): tf.Tensor4D =>
    chosen.reduce(
      (images, { augmentation, params }) =>
        augmentation.apply(images, { noise, params, ...(statistics === undefined ? {} : { statistics }) }),
      x,
    );

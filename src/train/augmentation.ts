/** The contract of augmentations: random changes of the training images that keep their class. */
import type { Noise } from '../core/ball.ts';
import type { Params, Values } from '../core/params.ts';
import type { tf } from '../tf.ts';
import type { ChannelStatistics } from './channel-statistics.ts';

export interface AugmentationContext<P extends Params = Params> {
  /** All randomness: seeded, one draw per image. */
  readonly noise: Noise;
  readonly params: Values<P>;
  /** Of the training images; there for those that ask for it with `needsStatistics`. */
  readonly statistics?: ChannelStatistics;
}

/** Traced into the training step before anything else sees the images. */
export interface Augmentation<P extends Params = Params> {
  /** Its file's name. */
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly params: P;
  readonly needsStatistics?: true;
  /** @throws UserError (usage) for parameters that do not go together */
  check?(params: Values<P>): void;
  /** Images [B, H, W, C] in [0,1] to the same. Pure, every image on its own; no gradient flows through it. */
  apply(x: tf.Tensor4D, context: AugmentationContext<P>): tf.Tensor4D;
}

/** Declares an augmentation; its parameters' types follow from their declaration. */
export const defineAugmentation = <P extends Params>(augmentation: Augmentation<P>): Augmentation<P> => augmentation;

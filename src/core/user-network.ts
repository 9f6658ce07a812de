/** The contract of networks that users bring: what a file of theirs says about its network. */
import type { tf } from '../tf.ts';
import type { ImageShape } from './classifier.ts';

/** A number for every channel, or one for all of them. */
export type PerChannel = number | readonly number[];

/**
 * What becomes of pixels in [0,1] before the network sees them: (x - mean) / std, or x · scale + offset. A network that
 * takes 0 to 255 has scale 255 and offset 0; one that takes -1 to 1 has scale 2 and offset -1.
 */
export type InputScaling =
  | { readonly mean: PerChannel; readonly std: PerChannel }
  | { readonly scale: PerChannel; readonly offset: PerChannel };

/** A model as TensorFlow.js knows it. */
export type UserModel = tf.LayersModel | tf.GraphModel;

/** A network of the user's own, as its file declares it. */
export interface UserNetwork {
  /** How flags, tables and files call it: letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /** How people write it; its name by default. */
  readonly title?: string;
  /** An https URL. */
  readonly paper?: string;
  readonly year?: number;
  /** What is special about it, in one sentence. */
  readonly idea?: string;
  /** How it was trained: `standard`, `adversarial`, a word of yours. `given`, if nothing is said. */
  readonly training?: string;
  /** Height, width, channels. */
  readonly input: ImageShape;
  /** How many classes there are, or their names in the order of the outputs. */
  readonly classes: number | readonly string[];
  /** Nothing by default: the network sees pixels in [0,1]. */
  readonly normalisation?: InputScaling;
  /** The layers: normalised images [B, H, W, C] to logits [B, classes]; a final softmax is taken off. */
  readonly build: () => UserModel | Promise<UserModel>;
  /** For weights from PyTorch: layers whose name is not already their module's path in the state dict, with that path. */
  readonly torch?: Readonly<Record<string, string>>;
}

/** Declares a network, as the default export of a file that is given to `--arch`. */
export const defineNetwork = (network: UserNetwork): UserNetwork => network;

import type { tf } from '../tf.ts';
import type { ImageShape, Normalisation } from './classifier.ts';

export interface BuildOptions {
  readonly input: ImageShape;
  readonly classes: number;
  /** Share of the paper's channels: 1 is the paper's network, 1/8 a small one. */
  readonly width: number;
  /** One of the architecture's `variants`. */
  readonly variant: string;
}

/** One way of writing an architecture down. */
export interface Variant {
  /** Share of the paper's channels that it has unless told: 1 is the paper's network, 1/8 a small one. */
  readonly width: number;
  /** How its published weights want images to be prepared; where there are none, images are taken as they are. */
  readonly normalisation?: Normalisation | undefined;
}

/** A paper's table turned into layers. */
export interface Architecture {
  /** Its file's name or an entry of that file's table: `vgg16`. */
  readonly name: string;
  /** As people write it: `VGG-16`. */
  readonly title: string;
  readonly paper: string;
  readonly year: number;
  /** The paper's idea in one sentence. */
  readonly idea: string;
  /** `imagenet` (torchvision's form), `small` (for images of 28 to 64 pixels), and `paper` where that is another one. */
  readonly variants: Readonly<Record<'imagenet' | 'small', Variant>> & Readonly<Record<string, Variant>>;
  /**
   * Normalised images [B, H, W, C] to logits [B, classes]. Further outputs are the logits of auxiliary classifiers, which
   * only training uses. Layers carry torchvision's names.
   */
  build(options: BuildOptions): tf.LayersModel;
}

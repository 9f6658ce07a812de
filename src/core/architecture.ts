import type { tf } from '../tf.ts';
import type { ImageShape } from './classifier.ts';

export interface BuildOptions {
  readonly input: ImageShape;
  readonly classes: number;
  /** Share of the paper's channels: 1 is the paper's network, 1/8 a small one. */
  readonly width: number;
  /** One of the architecture's `variants`. */
  readonly variant: string;
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
  /**
   * Its variants by name, each with the width it has unless told: `imagenet` (the paper's form) and `small` (for images of
   * 28 to 64 pixels), and others where the file offers them.
   */
  readonly variants: Readonly<Record<'imagenet' | 'small', number>> & Readonly<Record<string, number>>;
  /**
   * Normalised images [B, H, W, C] to logits [B, classes]. Further outputs are the logits of auxiliary classifiers, which
   * only training uses. Layers carry torchvision's names.
   */
  build(options: BuildOptions): tf.LayersModel;
}

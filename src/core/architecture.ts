import type { tf } from '../tf.ts';
import type { ImageShape } from './classifier.ts';

export interface BuildOptions {
  readonly input: ImageShape;
  readonly classes: number;
  /** Share of the paper's channels: 1 is the paper's network, 1/8 a small one. */
  readonly width?: number;
  /** A variant by name, where the file offers some: `imagenet` (the paper's form) or `small` (stem for 28 to 64 pixels). */
  readonly variant?: string;
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
  /** Normalised images [B, H, W, C] to logits [B, classes]. Layers carry torchvision's names. */
  build(options: BuildOptions): tf.LayersModel;
}

/** What all architectures share: a form is chosen by its name, the image's size is checked, layers become a model. */
import type { Architecture, BuildOptions, Variant } from '../core/architecture.ts';
import { unknownName, usageError } from '../core/errors.ts';
import { tf } from '../tf.ts';

/** What torchvision's weights were trained with. */
export const TORCHVISION = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

export type FormOptions = Omit<BuildOptions, 'variant'>;

/** Logits from images; with auxiliary classifiers, a list of which they are the first. */
export type Layers = (image: tf.SymbolicTensor) => tf.SymbolicTensor | readonly tf.SymbolicTensor[];

/** A variant with its layers. */
export interface Form extends Variant {
  /** The smallest image it takes, in pixels of a side. */
  readonly least: number;
  readonly layers: (options: FormOptions) => Layers;
}

export type Forms = Readonly<Record<'imagenet' | 'small', Form>> & Readonly<Record<string, Form>>;

/** An architecture from its facts and its forms. */
export function defineArchitecture(facts: Omit<Architecture, 'variants' | 'build'>, forms: Forms): Architecture {
  const { name, title } = facts;
  return {
    ...facts,
    variants: forms,
    build: ({ variant, ...options }) => {
      const form = Object.hasOwn(forms, variant) ? forms[variant] : undefined;
      if (form === undefined) throw unknownName('variant', variant, Object.keys(forms));
      const [height, width] = options.input;
      if (Math.min(height, width) < form.least) {
        throw usageError(
          `the ${variant} form of ${title} needs images of ${form.least}x${form.least} or more, not ${height}x${width}` +
            (variant === 'small' ? '' : '; use small'),
        );
      }
      const image = tf.input({ shape: [...options.input], name: 'image' });
      const outputs = form.layers(options)(image);
      return tf.model({ inputs: image, outputs: outputs as tf.SymbolicTensor | tf.SymbolicTensor[], name });
    },
  };
}

/** So many of the paper's channels, at least one. */
export const scaled = (channels: number, width: number): number => Math.max(1, Math.round(channels * width));

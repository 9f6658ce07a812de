/** What a defense carries from one update to the next: a variable each, [B, ...], zero at first. */
import type { ImageShape } from '../core/classifier.ts';
import type { Defense } from '../core/defense.ts';
import { tf } from '../tf.ts';

export type Memory = Readonly<Record<string, tf.Variable>>;

/** The variables are the caller's to dispose. */
export const memoryOf = (defense: Defense, image: ImageShape, images: number): Memory =>
  Object.fromEntries(
    Object.entries(defense.memory?.(image) ?? {}).map(([name, shape]) => [
      name,
      // Trainable, since the loss is differentiated in it.
      tf.tidy(() => tf.variable(tf.zeros([images, ...shape]), true)),
    ]),
  );

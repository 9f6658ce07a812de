/** What a run says of the adversarial images that it saved: which, where, and how they were rounded for their pictures. */
import { z } from 'zod';
import { THREATS } from './threat-model.ts';

/** Which adversarial images are kept: of images that were fooled, or of all that were attacked. */
export const KEPT = ['fooled', 'all'] as const;
export type Kept = (typeof KEPT)[number];

/**
 * How a picture's pixels come to have 8 bits: each to its nearest level, or to the next one towards the clean image, which
 * never leads away from it.
 */
export const ROUNDINGS = ['nearest', 'inward'] as const;
export type Rounding = (typeof ROUNDINGS)[number];

/** The folder of saved images, beside run.json. */
export const IMAGES = 'images';

const count = z.number().int().min(0);

/** A path below the run's folder that leads nowhere else. */
const path = z.string().regex(/^images(\/(?!\.)[\w.+-]+){4}$/, 'a path such as images/vgg16/standard/pgd/0.3');

/** The saved images of one network, attack and radius. */
export const savedImages = z.object({
  arch: z.string(),
  training: z.string(),
  attack: z.string(),
  norm: z.enum(THREATS),
  epsilon: z.number().min(0),
  kept: z.enum(KEPT),
  rounding: z.enum(ROUNDINGS),
  images: count.min(1),
  /** How many of them are adversarial: they reach the goal, inside ball and box. */
  fooled: count,
  /** How many of the pictures of those are adversarial too, for rounding may undo them. */
  fooledRounded: count,
  /** How many of the pictures of those have left the ball. */
  outsideRounded: count,
  /** Safetensors of float32 images and what is known of each, relative to the run's folder. */
  file: path,
  /** Of that file, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** A folder of PNGs, one an image, relative to the run's folder. */
  pictures: path,
});

export type SavedImages = z.infer<typeof savedImages>;

/** Where a run comes from. */
import { z } from 'zod';
import { count } from './fields.ts';

/** A file that gave no image, and why. */
export const skippedFile = z.object({ id: z.string(), why: z.string() });

export const provenance = z.object({
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  gibbon: z.string(),
  node: z.string(),
  packages: z.record(z.string(), z.string()),
  commit: z.string().nullable(),
  platform: z.string(),
  cpu: z.string(),
  cores: count,
  backend: z.string(),
  /** How far the backend's gradient of a small network is from the reference's, relative to the largest entry of that. */
  backendDifference: z.number().min(0).optional(),
  /** The graphics processor that it may have computed on, in words. */
  device: z.string().optional(),
  seed: count,
  dataset: z.object({
    name: z.string(),
    split: z.string(),
    images: count,
    sha256: z.string(),
    /** Which of the split's images were attacked, in words. */
    selection: z.string().optional(),
    /** Where labels come from: `true labels`, or each network's own clean predictions. */
    labels: z.string(),
    /** Files that gave no image and are not among those measured, and why. */
    skipped: z.array(skippedFile).optional(),
  }),
  /** SHA-256 of the weights of every classifier: `vgg16/standard`. */
  weights: z.record(z.string(), z.string()),
  /** Wall-clock seconds by phase. */
  phases: z.record(z.string(), z.number().min(0)),
  /** Which iterates count as a success, and how the gallery was chosen, in words. */
  iteratePolicy: z.string(),
  galleryRule: z.string(),
  /** What attacks were fitted on that add the same to every image, in words. */
  fitRule: z.string().optional(),
  /** Which images are tried on other networks, in words. */
  transferRule: z.string().optional(),
  /** How naive and adaptive adversaries are compared, in words. */
  naiveRule: z.string().optional(),
});

/** The pictures of a run. */
import { z } from 'zod';
import { count, radius, share } from './fields.ts';

const confidence = z.object({ label: count, name: z.string(), confidence: share });

/** One image of the gallery: x + ε·δ = x′, chosen by the run's stated rule. Pictures are PNG, base64. */
export const galleryItem = z.object({
  arch: z.string(),
  training: z.string(),
  attack: z.string(),
  ...radius,
  id: z.string(),
  label: confidence.pick({ label: true, name: true }),
  fooled: z.boolean(),
  fooled8bit: z.boolean(),
  width: count,
  height: count,
  cleanPng: z.base64(),
  adversarialPng: z.base64(),
  /** The perturbation stretched so that its largest entry is black or white; grey is zero. */
  perturbationPng: z.base64(),
  /** By how much the perturbation was multiplied to make it visible. */
  perturbationScale: z.number().positive(),
  cleanTop: z.array(confidence),
  adversarialTop: z.array(confidence),
});

/** What a journal holds: one kind of record for each kind of work that a run does, and how each is read again. */
import { z } from 'zod';
import { galleryItem } from '../../core/run/gallery.ts';
import { skippedFile } from '../../core/run/provenance.ts';
import { KEPT, ROUNDINGS, savedImages } from '../../core/saved.ts';

const count = z.number().int().min(0);
const flag = z.union([z.literal(0), z.literal(1)]);

/** What became of one image at one radius: see `Outcome`. A tuple, since there are many. */
const outcomeRow = z.tuple([
  count.describe('index of the image in the run’s selection'),
  count.describe('index of the radius'),
  flag.describe('robust'),
  flag.describe('robust after rounding to 8 bits'),
  count.describe('unverified claims'),
  count.describe('gradients'),
  count.describe('forwards'),
]);

/** How the attack of one image at one radius ended: see `Course`. */
const endRow = z.tuple([
  count.describe('index of the image in the run’s selection'),
  count.describe('index of the radius'),
  z
    .union([count, z.literal('before')])
    .nullable()
    .describe('after how many steps it fell, or at a smaller radius; null: it stands'),
  count.nullable().describe('predicted class; null where the logits are no numbers'),
  z.number().min(0).nullable().describe('L2 norm of the perturbation, if it was measured'),
  z.number().min(0).max(1).nullable().describe('share of its values that are moved by the radius'),
]);

/** The loss of one image at one radius, by the marks of the steps: float32, NaN where there is none. */
const traceRow = z.tuple([
  count.describe('index of the image in the run’s selection'),
  count.describe('index of the radius'),
  z.base64(),
]);

/** What several contenders of the run, in order, take one image for. */
const transferRow = z.tuple([
  count.describe('index of the image in the run’s selection'),
  z.array(count.nullable()).describe('predicted classes; null where the logits are no numbers'),
]);

/** What the noisy copies of one image were taken for. */
const certifiedRow = z.tuple([
  count.describe('index of the image in the run’s selection'),
  count.describe('label'),
  count.describe('the class that was chosen'),
  count.describe('how many of the copies that bound its probability were taken for it'),
]);

/** A tensor of something that is the same for all images. */
const packedTensor = z.object({ dtype: z.enum(['float32', 'int32', 'bool']), data: z.base64() });

const owner = { contender: z.string(), seconds: z.number().min(0) };
const attackOwner = { ...owner, attack: z.string() };

/** One line of a journal. */
export const journalRecord = z.discriminatedUnion('kind', [
  /** The clean pass of a contender: label and predicted class of every selected image, in order, and what gave none. */
  z.object({
    ...{ kind: z.literal('clean'), ...owner, labels: z.array(count), predicted: z.array(count) },
    skipped: z.array(skippedFile).optional(),
  }),
  /** Settled pairs of (image, radius). */
  z.object({
    ...{ kind: z.literal('outcomes'), ...attackOwner, rows: z.array(outcomeRow) },
    /** Of an ensemble: which of its attacks. */
    stage: z.string().optional(),
    /** Of radii that the report speaks of. */
    ends: z.array(endRow).optional(),
    traces: z.array(traceRow).optional(),
    /** Of attacks of minimum norm: image, and how far its nearest adversarial image is. */
    distances: z.array(z.tuple([count, z.number().min(0).nullable()])).optional(),
  }),
  /** What an attack was fitted with against a contender, at a radius, and the per-image evaluations that it took. */
  z.object({
    ...{ kind: z.literal('fitted'), ...attackOwner, stage: z.string().optional(), epsilon: z.number().min(0) },
    ...{ tensors: z.record(z.string(), packedTensor), gradients: count, forwards: count },
  }),
  /** What the probes of the sanity panel found on a contender, by the name of the check. */
  z.object({
    ...{ kind: z.literal('probes'), ...owner },
    findings: z.record(z.string(), z.object({ value: z.number(), images: count })),
  }),
  /** Images that an attack made against a contender at the radius of the transfer, as all contenders see them. */
  z.object({ kind: z.literal('transfer'), ...attackOwner, rows: z.array(transferRow) }),
  /** Images certified by randomized smoothing, with Gaussian noise of that standard deviation. */
  z.object({
    ...{ kind: z.literal('certified'), ...owner, sigma: z.number().positive(), rows: z.array(certifiedRow) },
  }),
  /** Images that an attack made against an undefended contender at a radius, as it and those behind a defense see them. */
  z.object({
    ...{ kind: z.literal('naive'), ...attackOwner, epsilon: z.number().min(0), rows: z.array(transferRow) },
  }),
  /** The whole gallery of a contender and an attack. */
  z.object({ kind: z.literal('gallery'), ...attackOwner, items: z.array(galleryItem) }),
  /** All saved images of a contender and an attack, which lie beside the journal. */
  z.object({
    ...{ kind: z.literal('saved'), ...attackOwner, files: z.array(savedImages) },
    /** How they were to be saved: files of none say nothing. */
    ...{ kept: z.enum(KEPT), rounding: z.enum(ROUNDINGS) },
  }),
]);

export type JournalRecord = z.infer<typeof journalRecord>;
export type PackedTensor = z.infer<typeof packedTensor>;
export type OutcomeRow = z.infer<typeof outcomeRow>;
export type EndRow = z.infer<typeof endRow>;
export type TraceRow = z.infer<typeof traceRow>;
export type TransferRow = z.infer<typeof transferRow>;
export type CertifiedRow = z.infer<typeof certifiedRow>;

/** What was measured, and with what: networks, how fast they were, and attacks. */
import { z } from 'zod';
import { ACCESS } from '../attack.ts';
import { count, json, ownSha256, paper, share } from './fields.ts';

export const architecture = z.object({
  name: z.string(),
  title: z.string(),
  paper: paper.optional(),
  year: z.number().int().optional(),
  idea: z.string(),
  /** Which form of the architecture was attacked, and the share of its channels that it has. */
  form: z.object({ variant: z.string(), width: z.number().positive() }).optional(),
  /** Of the network that was attacked, as are its multiply-adds: those of one forward pass of one image. */
  parameters: count,
  multiplyAdds: count.optional(),
  /** Accuracy on ImageNet of the paper's full-size form, which need not be the network that was attacked. */
  published: z.object({ top1: share, top5: share.optional(), source: z.string() }).optional(),
});

const rate = z.number().min(0);

/** How fast a contender was, and what it took; what was not measured is absent. Timing decides nothing else in the run. */
export const performance = z.object({
  /** `vgg16/standard` */
  contender: z.string(),
  /** Images a second of the clean pass, reading them included. */
  forwardPerSecond: rate.optional(),
  /** Gradients of single images a second, over the attacks that ask for any, verification included. */
  gradientsPerSecond: rate.optional(),
  /** The most bytes that the process was seen to hold in memory while this contender was measured. */
  peakMemory: count.optional(),
});

export const attack = z.object({
  name: z.string(),
  title: z.string(),
  paper: paper.optional(),
  access: z.enum(ACCESS),
  /** Of an ensemble: the attacks it is made of, in order, and how many random starts of each count for one of it, if not 1. */
  stages: z
    .array(z.object({ attack: z.string(), params: z.record(z.string(), json), restarts: count.min(1).optional() }))
    .optional(),
  sha256: ownSha256,
});

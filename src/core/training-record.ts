/**
 * What became of a training, epoch by epoch: a checkpoint carries it, `run.json` repeats it. Nothing here depends on a clock:
 * the same training gives the same record. Accuracies are shares, 0 to 1; epochs and batches count from 1.
 */
import { z } from 'zod';
import { isRadius, NORMS, RADIUS, type Threat } from './threat-model.ts';
import { STANDARD } from './training.ts';

const share = z.number().min(0).max(1);
const ordinal = z.number().int().min(1);
const several = 100_000;

/** A look at some held-out images in the course of an epoch: how many withstand one gradient step, and how many several. */
const guardCheck = z.object({
  /** Batches of the epoch that were done. */
  batch: ordinal,
  oneStep: share,
  manySteps: share,
});

const trainedEpoch = z.object({
  epoch: ordinal,
  /** Batches done in it: fewer than in others if the training was stopped in its course. */
  batches: ordinal,
  /** Mean training loss, and the share of the training images classified correctly as the loss saw them. */
  loss: z.number(),
  accuracy: share,
  /** On the held-out images; null if there are none. */
  validation: z.object({ clean: share, robust: share }).nullable(),
  /** The learning rate of its last batch. */
  rate: z.number().min(0),
  /** What the guard saw, where there was one. */
  checks: z.array(guardCheck).max(several).readonly().optional(),
  /** Whether no epoch before it was as good. */
  best: z.boolean().optional(),
});

/** Why a training ended before its last epoch, and where. */
const stopped = z.object({
  /**
   * `fall`: robust accuracy fell, `from` the best that the guard had seen `to` what it saw last. `gap`: images withstood one
   * step alone, `from` as many under one step `to` as few under several. `patience`: nothing better came, `from` the best
   * epoch's accuracy `to` the last one's.
   */
  why: z.enum(['fall', 'gap', 'patience']),
  epoch: ordinal,
  batch: ordinal,
  from: share,
  to: share,
});

/** The state of the network that was saved. */
const kept = z.object({
  /** The end of the training; its best epoch; or the best that the guard had seen before the collapse. */
  why: z.enum(['last', 'best', 'rolled back']),
  epoch: ordinal,
  batch: ordinal,
});

/** The schema of a training's record. */
export const trainingRecord = z
  .object({
    /** Older checkpoints do not tell whether it was `adversarial`. */
    defense: z.object({
      name: z.string(),
      params: z.record(z.string(), z.unknown()),
      adversarial: z.boolean().optional(),
    }),
    /** The ball that was validated against, and trained against if the defense is adversarial, its radius in pixel units. */
    norm: z.enum(NORMS),
    epsilon: z.number().min(0),
    /** Epochs that were planned, and batches in each. */
    epochs: ordinal,
    batches: ordinal,
    /** Of the average of weights that was validated and saved, where it was one. */
    ema: share.optional(),
    /** How many images were held out, and by what they were attacked: its last iterate counts. Absent if there were none, and in older checkpoints. */
    validation: z.object({ images: ordinal, attack: z.string(), params: z.record(z.string(), z.unknown()) }).optional(),
    history: z.array(trainedEpoch).max(several).readonly(),
    kept,
    stopped: stopped.optional(),
  })
  .refine(({ norm, epsilon }) => isRadius(norm, epsilon), { path: ['epsilon'], error: RADIUS });

/** What became of a training, epoch by epoch. */
export type TrainingRecord = z.infer<typeof trainingRecord>;

/** Whether the training was against an adversary in the record's ball; where it does not tell, plain training alone was not. */
export const wasAdversarial = ({ defense: { name, adversarial } }: TrainingRecord): boolean =>
  adversarial ?? name !== STANDARD;

/** The radii in pixel units that networks were trained against in a norm; none of those whose training had no adversary. */
export const trainedRadii = (records: readonly TrainingRecord[], norm: Threat): readonly number[] =>
  records.filter((record) => record.norm === norm && wasAdversarial(record)).map(({ epsilon }) => epsilon);

export type TrainedEpoch = z.infer<typeof trainedEpoch>;
export type GuardCheck = z.infer<typeof guardCheck>;
export type Stopped = z.infer<typeof stopped>;
export type Kept = z.infer<typeof kept>;

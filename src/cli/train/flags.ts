/** The flags of `train`: names are fixed, tools read them. */

import { BACKENDS } from '../../backends/names.ts';
import { p, type Values } from '../../core/params.ts';
import { NORMS } from '../../core/threat-model.ts';
import { augmentations } from '../../train/augment.ts';
import { TRAINING_DEFAULTS as DEFAULTS } from '../../train/plan.ts';
import { schedules } from '../../train/schedule.ts';
import { configFlag } from '../config.ts';
import { listOf, oneOf, optional, word } from '../flags.ts';

export const FORMS = ['small', 'imagenet', 'paper'] as const;

const known = augmentations.map(({ name }) => name).join(', ');

export const trainFlags = {
  arch: listOf(
    word('', '', 'an architecture or all'),
    ['vgg16'],
    'networks, trained one after the other: architectures, or all six',
  ),
  training: listOf(
    word('', '', 'a defense or a file'),
    ['standard'],
    'how: defenses, or what their networks are called (adversarial), or files of your own',
  ),
  dataset: word('mnist', 'what they are trained on', 'a dataset, or a folder of class folders'),
  form: optional(
    oneOf('small', FORMS, "how the paper's table is written down; dropout comes with it (src/models)"),
    'small; with --from, that of the weights',
  ),
  size: optional(
    p.integer(64, 'for a folder: pixels of a side, cut out of photographs scaled to 8/7 of that', {
      min: 16,
      max: 1024,
    }),
    '64; with --from or another form than small, 224',
  ),
  width: optional(p.number(1, "share of the paper's channels", { min: 1 / 64, max: 4 }), "the form's own"),
  from: optional(
    word('', 'a trained network to go on from, under a new last layer', 'imagenet, imagenet-v2, a file or a URL'),
    'none',
  ),
  freeze: p.boolean(false, 'with --from: only the last layer learns'),
  normalise: optional(
    oneOf(
      'none',
      ['none', 'mean', 'standard'],
      'what is done to pixels: less their mean in the training images; divided by their deviation too',
    ),
    "the form's own",
  ),
  augment: listOf(
    word('', '', 'an augmentation'),
    [],
    `random changes of the training images, in this order: ${known}`,
    'none',
  ),
  norm: oneOf(
    DEFAULTS.norm,
    NORMS,
    'norm of the ball that is validated against, and trained against where there is an adversary',
  ),
  epsilon: optional(
    p.number(0.3, 'radius of that ball in pixel units', { min: 0 }),
    'in Linf 0.3 for grey images, 8/255 for colour',
  ),
  epochs: p.integer(DEFAULTS.epochs, 'passes over the training images', { min: 1 }),
  batch: optional(p.integer(DEFAULTS.batch, 'images per update', { min: 2 }), '128; 16 for images above 96x96'),
  rate: optional(p.number(DEFAULTS.rate, 'peak learning rate', { above: 0 }), '0.1; with --from 0.01'),
  momentum: p.number(DEFAULTS.momentum, 'momentum of SGD', { min: 0, below: 1 }),
  'weight-decay': p.number(DEFAULTS.weightDecay, 'L2 penalty', { min: 0, max: 1 }),
  'label-smoothing': p.number(DEFAULTS.labelSmoothing, 'share of a label that is spread evenly over all classes', {
    min: 0,
    max: 1,
  }),
  clip: optional(
    p.number(1, 'longest gradient (L2, of all weights together) that is used as it is', { above: 0 }),
    'any',
  ),
  schedule: oneOf(
    DEFAULTS.schedule.name as string,
    schedules.map(({ name }) => name),
    'how the learning rate moves',
  ),
  validation: optional(
    p.integer(DEFAULTS.validation.images, 'training images held out to watch accuracy on', { min: 0 }),
    '500, but no more than a tenth',
  ),
  ema: optional(
    p.number(0.999, 'decay of an average of the weights, which is validated and saved instead of them', {
      above: 0,
      below: 1,
    }),
    'none',
  ),
  keep: optional(
    oneOf(
      'best',
      ['last', 'best'],
      'which epoch is saved: the best is that of the highest validation accuracy, robust where there is an adversary',
    ),
    'best for training against an adversary, else last',
  ),
  patience: optional(
    p.integer(5, 'end the training when so many epochs have brought nothing better', { min: 1 }),
    'never',
  ),
  guard: oneOf(
    'on',
    ['on', 'off'],
    'against an adversary: look at robust accuracy several times an epoch; where it collapses, roll back and end',
  ),
  seed: p.integer(DEFAULTS.seed, 'seed of first weights, order and noise', { min: 0, max: 0xffffffff }),
  backend: oneOf('auto', BACKENDS, 'what computes; auto: the fastest that works here'),
  out: optional(word('', 'the checkpoint to make', 'a file'), 'checkpoints/DATASET/ARCH-TRAINING.safetensors'),
  config: configFlag,
  resume: p.boolean(false, 'go on with what was interrupted'),
  json: p.boolean(false, 'print the history as JSON'),
  quiet: p.boolean(false, 'no progress on stderr'),
};

export type TrainValues = Values<typeof trainFlags>;

/** What is asked for of one network. */
export type Single = Omit<TrainValues, 'arch' | 'training'> & { readonly arch: string; readonly training: string };

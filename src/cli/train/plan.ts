/** From what is asked for of one network to the plan of its training. */
import type { ImageShape, Normalisation } from '../../core/classifier.ts';
import type { Dataset } from '../../core/dataset.ts';
import { usageError } from '../../core/errors.ts';
import type { Norm } from '../../core/threat-model.ts';
import { datasetNames } from '../../data/registry.ts';
import { loadAttacks } from '../../discover/modules.ts';
import { type NetworkSpec, specOf } from '../../models/network.ts';
import { augmentationOf } from '../../train/augment.ts';
import { batchesPerEpoch } from '../../train/batches.ts';
import { type ChannelStatistics, channelStatistics, deviationsOf } from '../../train/channel-statistics.ts';
import { TRAINING_DEFAULTS as DEFAULTS, type TrainingPlan } from '../../train/plan.ts';
import type { Given } from '../flags.ts';
import { paramsOf } from '../module-flags.ts';
import { isFile } from '../user-files.ts';
import type { ResolveOptions } from '../weights-word.ts';
import { findDefense } from './find-defense.ts';
import type { Single } from './flags.ts';
import { openImages } from './images.ts';
import { openStart } from './start.ts';

/** Where nobody says: the peak rate for weights that have learned already, and the batch for large images. */
const FINE_TUNING_RATE = 0.01;
const LARGE_BATCH = 16;
const LARGE_PIXELS = 96 * 96;

/** Sides in pixels of what is cut out of photographs. */
const SIZE = { small: 64, large: 224 } as const;

/** The radii that the literature compares networks at: src/cli/experiment/grids.ts says whose they are. */
const RADIUS: Readonly<Record<'grey' | 'colour', Readonly<Record<Norm, number>>>> = {
  grey: { Linf: 0.3, L2: 2, L1: 10 },
  colour: { Linf: 8 / 255, L2: 0.5, L1: 12 },
};

/**
 * What the flags ask for.
 *
 * @param given - parameters of defenses, schedules and augmentations; those of others than take part are left aside
 * @param fetching - where downloads are told of, and how they are stopped
 * @throws UserError for names that nobody has, and for what does not go together
 */
export async function planOf(values: Single, given: Given, fetching: ResolveOptions = {}): Promise<TrainingPlan> {
  refuseIdleFlags(values);
  const { norm, epochs, momentum, seed, normalise } = values;
  const defense = await findDefense(values.training);
  const augmentations = values.augment.map((name) => augmentationOf(name, paramsOf(name, given)));
  const opened = values.from === null ? undefined : await openStart(values.from, values.arch, values.freeze, fetching);
  const dataset = await openImages(values.dataset, inputOf(values, opened?.spec));
  const heldOut = values.validation ?? Math.min(DEFAULTS.validation.images, Math.floor(dataset.size / 10));
  const [height, width, channels] = dataset.input;
  const batch = values.batch ?? (height * width > LARGE_PIXELS ? LARGE_BATCH : DEFAULTS.batch);
  batchesPerEpoch(dataset, heldOut, batch);
  const isAsked = augmentations.some(({ augmentation }) => augmentation.needsStatistics);
  const statistics =
    isAsked || (normalise ?? 'none') !== 'none' ? await channelStatistics(dataset, heldOut) : undefined;
  const spec = networkOf(values, dataset, opened?.spec);
  return {
    network: normalise === null ? spec : { ...spec, normalisation: normalisationOf(normalise, channels, statistics) },
    dataset,
    defense,
    ...(isFile(values.training) ? { file: values.training } : {}),
    params: paramsOf(defense.name, given),
    attacks: await loadAttacks(),
    ...{ norm, epochs, batch, momentum, seed, augmentations },
    epsilon: values.epsilon ?? RADIUS[channels === 1 ? 'grey' : 'colour'][norm],
    rate: values.rate ?? (opened === undefined ? DEFAULTS.rate : FINE_TUNING_RATE),
    weightDecay: values['weight-decay'],
    labelSmoothing: values['label-smoothing'],
    clip: values.clip,
    schedule: { name: values.schedule, params: paramsOf(values.schedule, given) },
    validation: { ...DEFAULTS.validation, images: heldOut },
    ...{ ema: values.ema, keep: values.keep, patience: values.patience },
    guard: values.guard === 'on' ? DEFAULTS.guard : null,
    ...(isAsked ? { statistics } : {}),
    ...(opened === undefined ? {} : { start: opened.start }),
  };
}

/** @throws UserError (usage) for flags that would have no effect */
function refuseIdleFlags({ from, freeze, width, normalise, size, dataset }: Single): void {
  if (from === null && freeze) throw usageError('--freeze needs --from: only a trained network can be left as it is');
  if (from !== null && width !== null) throw usageError('--width has no say with --from: the weights have their own');
  if (from !== null && normalise !== null) {
    throw usageError('--normalise has no say with --from: the weights were made for a normalisation of their own');
  }
  if (size !== null && datasetNames.includes(dataset)) {
    throw usageError(`--size is for folders of photographs; the images of ${dataset} are as large as they are`);
  }
}

/** What photographs become, unless the dataset's images have a size of their own. */
function inputOf({ form, size }: Single, start: NetworkSpec | undefined): ImageShape {
  const usual = (form ?? 'small') === 'small' ? SIZE.small : SIZE.large;
  const [height, width, channels] = start?.input ?? [usual, usual, 3];
  return [size ?? height, size ?? width, channels];
}

function networkOf(values: Single, { name, input, classes }: Dataset, start: NetworkSpec | undefined): NetworkSpec {
  const { arch, form, width, from } = values;
  if (start === undefined) {
    const spec = specOf(arch, form ?? 'small', input, classes.length);
    return width === null ? spec : { ...spec, width };
  }
  if (form !== null && form !== start.variant) {
    throw usageError(`--from ${from} is of the ${start.variant} form, and --form is ${form}: leave --form out`);
  }
  if (input[2] !== start.input[2]) {
    const channels = (n: number): string => (n === 1 ? 'grey images' : `images of ${n} channels`);
    throw usageError(`--from ${from} takes ${channels(start.input[2])}; ${name} has ${channels(input[2])}`);
  }
  return { ...start, input, classes: classes.length };
}

/**
 * Subtracting "the mean RGB value, computed on the training set, from each pixel" is all that Simonyan and Zisserman do to
 * images ("Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015, section 2.1).
 */
function normalisationOf(
  choice: 'none' | 'mean' | 'standard',
  channels: number,
  statistics: ChannelStatistics | undefined,
): Normalisation {
  const each = (value: number): number[] => Array.from({ length: channels }, () => value);
  if (choice === 'none' || statistics === undefined) return { mean: each(0), std: each(1) };
  return { mean: statistics.mean, std: choice === 'mean' ? each(1) : deviationsOf(statistics) };
}

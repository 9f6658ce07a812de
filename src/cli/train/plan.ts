/** The flags of `train`, and the plan that they ask for. */
import type { Defense } from '../../core/defense.ts';
import { unknownName } from '../../core/errors.ts';
import { p, type Values } from '../../core/params.ts';
import { NORMS } from '../../core/threat-model.ts';
import { openDataset } from '../../data/registry.ts';
import { loadAttacks, loadDefenses } from '../../discover/modules.ts';
import { smallSpec } from '../../models/network.ts';
import { TRAINING_DEFAULTS as DEFAULTS, type TrainingPlan } from '../../train/plan.ts';
import { schedules } from '../../train/schedule.ts';
import { BACKENDS } from '../backend.ts';
import { type Given, oneOf, optional, word } from '../flags.ts';
import { paramsOf, refuseIdle } from '../module-flags.ts';

export const trainFlags = {
  arch: word('vgg16', 'architecture', 'an architecture'),
  training: word('standard', 'how: a defense, or what its networks are called (adversarial)', 'a defense'),
  dataset: word('mnist', 'what it is trained on', 'a dataset'),
  width: optional(p.number(1, "share of the paper's channels", { min: 1 / 64, max: 4 }), "the small form's own"),
  norm: oneOf(DEFAULTS.norm, NORMS, 'norm of the ball that is trained and validated against'),
  epsilon: p.number(0.3, 'radius of that ball in pixel units', { min: 0 }),
  epochs: p.integer(DEFAULTS.epochs, 'passes over the training images', { min: 1 }),
  batch: p.integer(DEFAULTS.batch, 'images per update', { min: 2 }),
  rate: p.number(DEFAULTS.rate, 'peak learning rate', { min: 0 }),
  momentum: p.number(DEFAULTS.momentum, 'momentum of SGD', { min: 0, max: 1 }),
  'weight-decay': p.number(DEFAULTS.weightDecay, 'L2 penalty', { min: 0, max: 1 }),
  schedule: oneOf(
    DEFAULTS.schedule.name as string,
    schedules.map(({ name }) => name),
    'how the learning rate moves',
  ),
  validation: p.integer(DEFAULTS.validation.images, 'training images held out to watch accuracy on', { min: 0 }),
  seed: p.integer(DEFAULTS.seed, 'seed of first weights, order and noise', { min: 0, max: 0xffffffff }),
  backend: oneOf('auto', BACKENDS, 'what computes'),
  out: optional(word('', 'the checkpoint to make', 'a file'), 'checkpoints/DATASET/ARCH-TRAINING.safetensors'),
  config: optional(word('', 'JSON file with the same keys as these flags; flags win', 'a file'), 'none'),
  resume: p.boolean(false, 'go on with the interrupted training of --out'),
  json: p.boolean(false, 'print the history as JSON'),
  quiet: p.boolean(false, 'no progress on stderr'),
};

/**
 * What the flags ask for.
 *
 * @param given - parameters of the defense and the schedule that were given
 * @throws UserError (usage) for a name that nobody has, or a parameter that takes no part
 */
export async function planOf(values: Values<typeof trainFlags>, given: Given): Promise<TrainingPlan> {
  const defense = findDefense([...(await loadDefenses()).values()], values.training);
  refuseIdle([defense.name, values.schedule], given);
  const dataset = await openDataset(values.dataset, 'train');
  const network = smallSpec(values.arch, dataset);
  const { norm, epsilon, epochs, batch, rate, momentum, seed } = values;
  return {
    network: values.width === null ? network : { ...network, width: values.width },
    dataset,
    defense,
    params: paramsOf(defense.name, given),
    attacks: await loadAttacks(),
    ...{ norm, epsilon, epochs, batch, rate, momentum, seed },
    weightDecay: values['weight-decay'],
    schedule: { name: values.schedule, params: paramsOf(values.schedule, given) },
    validation: { ...DEFAULTS.validation, images: values.validation },
  };
}

/** A defense by its name, or by what the networks trained with it are called. */
function findDefense(defenses: readonly Defense[], word: string): Defense {
  const found = defenses.find(({ name, training }) => name === word || training === word);
  if (found !== undefined) return found;
  const names = defenses.flatMap(({ name, training }) => [name, training ?? []].flat());
  throw unknownName('training', word, names);
}

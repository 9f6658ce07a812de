import type { Defense } from '../../core/defense.ts';
import { unknownName } from '../../core/errors.ts';
import { p, type Values } from '../../core/params.ts';
import { NORMS } from '../../core/threat-model.ts';
import { openDataset } from '../../data/registry.ts';
import { smallSpec } from '../../models/network.ts';
import { TRAINING_DEFAULTS, type TrainingPlan } from '../../train/plan.ts';
import { schedules } from '../../train/schedule.ts';
import { train as runTraining, type TrainingEvent } from '../../train/train.ts';
import { BACKENDS, openBackend } from '../backend.ts';
import { checkpointPath } from '../checkpoints.ts';
import { defineCommand, EXIT } from '../command.ts';
import { type Given, oneOf, optional, word } from '../flags.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { flagsOfModules, paramsOf, refuseIdle } from '../module-flags.ts';
import { loadAttacks, loadDefenses } from '../modules.ts';
import { shortPath } from '../paths.ts';
import { duration, progressLine } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULTS = TRAINING_DEFAULTS;

const trainFlags = {
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

export const train = defineCommand({
  name: 'train',
  summary: 'train a network, plainly or with a defense, and save its checkpoint',
  flags: trainFlags,
  moduleFlags: async () => flagsOfModules([...(await loadDefenses()).values(), ...schedules]),
  run: async ({ values, moduleValues, terminal, commandLine }) => {
    const plan = await planOf(values, moduleValues);
    const { prepare } = await openBackend(values.backend);
    const { name, training } = plan.defense;
    const out = values.out ?? checkpointPath(values.dataset, values.arch, training ?? name);
    const watch = watchTraining(terminal, values.quiet);
    const interrupt = listenForInterrupt(() => terminal.note('finishing the batch; Ctrl-C again ends at once'));
    try {
      const { signal } = interrupt;
      const { resume } = values;
      const result = await runTraining(plan, {
        ...{ prepare, out, resume, signal },
        command: commandLine,
        onProgress: watch.show,
      });
      watch.end();
      if (values.json) terminal.print(JSON.stringify(result.history, null, 2));
      if (!result.finished) {
        const again = resume ? commandLine : `${commandLine} --resume`;
        terminal.note(`interrupted; ${shortPath(result.files.state)} holds the training. Go on with: ${again}`);
        return EXIT.interrupted;
      }
      terminal.note(`wrote ${shortPath(result.files.checkpoint)}; its history: ${shortPath(result.files.log)}`);
      return EXIT.ok;
    } finally {
      watch.end();
      interrupt.release();
    }
  },
});

async function planOf(values: Values<typeof trainFlags>, given: Given): Promise<TrainingPlan> {
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

/** Batches on the progress line; a line that stays for every epoch. */
function watchTraining(terminal: Terminal, quiet: boolean) {
  const line = progressLine(terminal);
  let [batches, epochs] = [0, 0];
  const show = (event: TrainingEvent): void => {
    if (quiet) return;
    if (event.kind === 'start') {
      ({ batches, epochs } = event);
      terminal.note(`${event.parameters} parameters, ${batches} batches an epoch`);
    } else if (event.kind === 'batch') {
      const { epoch, batch: done, accuracy } = event;
      line.show({ label: `epoch ${epoch}/${epochs}`, done, total: batches, unit: 'batches', accuracy });
    } else {
      const { epoch, loss, accuracy, validation, seconds } = event.record;
      const watched =
        validation === null
          ? ''
          : `, held out ${percent(validation.clean)} clean, ${percent(validation.robust)} attacked`;
      terminal.note(
        `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}${watched}, ${duration(seconds)}`,
      );
    }
  };
  return { show, end: line.end };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The six architectures as they are published, 224x224 and 1,000 classes: a step of an attack, and an update of training. */
import standard from '../defenses/standard.ts';
import { benchLabels, benchPixels } from '../src/cli/bench/steps.ts';
import { buildNetwork, type NetworkSpec, specOf } from '../src/models/network.ts';
import { SIX } from '../src/models/registry.ts';
import { TRAINING_DEFAULTS, type TrainingPlan } from '../src/train/plan.ts';
import { preparedStep } from '../src/train/prepared-step.ts';
import { disposeOwn, trainingVariables } from '../src/train/variables.ts';
import { attackWorkload } from './attack-workload.ts';
import type { Workload } from './workload.ts';

const [SIDE, CLASSES] = [224, 1000];
const INPUT = [SIDE, SIDE, 3] as const;

const specFor = (arch: string): NetworkSpec => specOf(arch, 'imagenet', INPUT, CLASSES);

/** The update that `gibbon train` compiles: SGD with momentum and weight decay, dropout, auxiliary losses. */
const training = (arch: string): Workload => ({
  name: `train-${arch}`,
  what: `training step, ${arch}, 224x224`,
  batch: 8,
  prepare: async (prepare, batch) => {
    const network = buildNetwork(specFor(arch), 0);
    const plan: TrainingPlan = {
      ...TRAINING_DEFAULTS,
      ...{
        network: network.spec,
        dataset: NO_DATASET,
        defense: standard,
        params: {},
        attacks: new Map(),
        epsilon: 0,
        batch,
      },
    };
    const variables = trainingVariables(plan, network);
    const step = await preparedStep(plan, network, variables, prepare);
    const ids = Array.from({ length: batch }, (_, i) => String(i));
    const images = {
      index: 0,
      replay: 0,
      x: benchPixels(batch * SIDE * SIDE * 3),
      y: benchLabels(batch, CLASSES),
      ids,
    };
    let updates = 0;
    const run = async (): Promise<void> => {
      await step.run(images, { epoch: updates, updates: updates++, rate: 0.001 });
    };
    const release = async (): Promise<void> => {
      await step.release();
      disposeOwn(variables);
      network.dispose();
    };
    return { run, release };
  },
});

/** A step is given its batch. */
const NO_DATASET: TrainingPlan['dataset'] = {
  name: 'none',
  split: 'train',
  classes: [],
  input: INPUT,
  size: 0,
  hash: async () => '',
  async *stream() {},
};

export const FULL_SIZE: readonly Workload[] = SIX.imagenet.flatMap((arch) => [
  attackWorkload(`attack-${arch}`, `attack step, ${arch}, 224x224`, 8, specFor(arch)),
  training(arch),
]);

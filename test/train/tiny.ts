/** A training small enough for tests: a dozen pixels, three classes, two convolutions. */
import bim from '../../attacks/bim.ts';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Dataset, Example } from '../../src/core/dataset.ts';
import type { Defense } from '../../src/core/defense.ts';
import { Rng } from '../../src/core/rng.ts';
import { batchNorm, chain, conv, dense, dropout, globalAveragePool, relu } from '../../src/models/blocks.ts';
import { initialise } from '../../src/models/initialise.ts';
import { type Network, type NetworkSpec, networkOf } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { TRAINING_DEFAULTS, type TrainingPlan } from '../../src/train/plan.ts';
import type { TrainingHarness } from '../../src/train/train.ts';
import { uniform } from '../core/uniform.ts';

const SIDE = 6;
const CLASSES = ['row', 'column', 'dot'];

export const tinySpec: NetworkSpec = {
  arch: 'vgg11',
  variant: 'small',
  width: 1,
  input: [SIDE, SIDE, 1],
  classes: CLASSES.length,
  normalisation: { mean: [0.5], std: [0.5] },
};

/** Two convolutions with batch norm, dropout, and a dense layer. */
export function tinyNetwork(spec: NetworkSpec = tinySpec, seed = 1): Network {
  const image = tf.input({ shape: [...spec.input] });
  const body = chain(
    conv(4, 3, { padding: 1, bias: false })('conv1'),
    batchNorm()('bn1'),
    relu()('relu1'),
    conv(6, 3, { padding: 1, bias: false })('conv2'),
    batchNorm()('bn2'),
    relu()('relu2'),
    globalAveragePool()('pool'),
    dropout(0.1)('dropout'),
    dense(spec.classes)('dense'),
  );
  const model = tf.model({ inputs: image, outputs: body(image) });
  initialise(model, seed);
  return networkOf(spec, model);
}

/** A bright row, a bright column or a bright square, on noise. */
function example(index: number): Example {
  const rng = new Rng(index, 'tiny example');
  const label = index % CLASSES.length;
  const at = rng.below(SIDE - 1);
  const image = Float32Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const row = Math.floor(pixel / SIDE);
    const column = pixel % SIDE;
    const near = (n: number) => n === at || n === at + 1;
    const bright = [row === at, column === at, near(row) && near(column)][label];
    return 0.3 * uniform(rng) + (bright ? 0.6 : 0);
  });
  return { image, label, id: `tiny/${index}` };
}

/** A dataset of `size` such images. */
export const tinyDataset = (size = 36): Dataset => ({
  name: 'tiny',
  split: 'train',
  classes: CLASSES,
  input: [SIDE, SIDE, 1],
  size,
  hash: async () => '00',
  async *stream({ images = size, seed } = {}) {
    const order =
      seed === undefined ? Array.from({ length: size }, (_, i) => i) : new Rng(seed, 'tiny').permutation(size);
    for (const index of order.slice(0, images)) yield example(index);
  },
});

export const attacks: ReadonlyMap<string, Attack> = new Map<string, Attack>([
  ['bim', bim],
  ['fgsm', fgsm],
  ['pgd', pgd],
]);

export const tinyPlan = (defense: Defense, changes: Partial<TrainingPlan> = {}): TrainingPlan => ({
  ...TRAINING_DEFAULTS,
  network: tinySpec,
  dataset: tinyDataset(),
  defense,
  params: {},
  attacks,
  epsilon: 0.1,
  epochs: 2,
  batch: 8,
  seed: 5,
  validation: { images: 4, attack: 'pgd', params: { steps: 2 } },
  ...changes,
});

export const tinyHarness = (out: string, changes: Partial<TrainingHarness> = {}): TrainingHarness => ({
  prepare: eager,
  backend: 'cpu',
  versions: { gibbon: '0.0.0', commit: null, packages: {} },
  out,
  command: 'test',
  build: tinyNetwork,
  ...changes,
});

/** The values of all weights, one after the other. */
export async function weightValues({ model }: Network): Promise<number[]> {
  const values: number[] = [];
  for (const weight of model.weights) values.push(...(await weight.read().data()));
  return values;
}

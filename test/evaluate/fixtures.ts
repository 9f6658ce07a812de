/** Small classifiers, data and attacks to measure on the reference backend. */
import { eager } from '../../src/compile/eager.ts';
import type { Attack } from '../../src/core/attack.ts';
import { defineAttack, defineEnsemble } from '../../src/core/attack.ts';
import type { Classifier, ImageShape } from '../../src/core/classifier.ts';
import type { Dataset, Example } from '../../src/core/dataset.ts';
import { resolveParams } from '../../src/core/params.ts';
import { fillNoise, Rng } from '../../src/core/rng.ts';
import { UNTARGETED } from '../../src/core/threat-model.ts';
import type { Contender, ExperimentPlan, Harness, PlannedAttack, PlannedStage } from '../../src/evaluate/plan.ts';
import { tf } from '../../src/tf.ts';

export const INPUT: ImageShape = [4, 5, 1];
export const CLASSES = 4;
const PIXELS = INPUT[0] * INPUT[1] * INPUT[2];

export function randomValues(size: number, seed: number, distribution: 'uniform' | 'normal' = 'normal'): Float32Array {
  const values = new Float32Array(size);
  fillNoise(values, { seed, image: 7, restart: 0, step: 0, draw: 0 }, distribution);
  return values;
}

/** Random 3×3 convolution, ReLU, linear layer. */
export function smallClassifier(seed = 1, input: ImageShape = INPUT, classes = CLASSES): Classifier {
  const features = 3;
  const pixels = input[0] * input[1];
  const filter = randomValues(9 * input[2] * features, seed).map((w) => w / 2);
  const weights = randomValues(pixels * features * classes, seed + 1).map((w) => w / 3);
  return {
    name: `small-${seed}`,
    classes,
    input,
    logits: (x) =>
      tf.tidy(() => {
        const maps = x
          .sub(0.5)
          .conv2d(tf.tensor4d(filter, [3, 3, input[2], features]), 1, 'same')
          .relu();
        return maps.reshape([x.shape[0], -1]).matMul(tf.tensor2d(weights, [pixels * features, classes])) as tf.Tensor2D;
      }),
  };
}

/** Alike on most images, and yet another. */
export const relativeOf = (classifier: Classifier): Classifier => ({
  ...classifier,
  name: 'relative',
  logits: (x) => classifier.logits(x).add(smallClassifier(9).logits(x).mul(1.2)) as tf.Tensor2D,
});

/** The classifier's own classes for random images, but for every tenth image, whose label is wrong. */
export function smallDataset(size: number, classifier: Classifier = smallClassifier(), classes = CLASSES): Dataset {
  const examples = Array.from({ length: size }, (_, i): Example => {
    const image = randomValues(PIXELS, 1000 + i, 'uniform');
    const predicted = tf.tidy(
      () =>
        classifier
          .logits(tf.tensor4d(image.slice(), [1, ...INPUT]))
          .argMax(1)
          .dataSync()[0],
    );
    return { image, label: ((predicted ?? 0) + (i % 10 === 9 ? 1 : 0)) % classes, id: `toy/test/${i}` };
  });
  return {
    name: 'toy',
    split: 'test',
    classes: ['ant', 'bee', 'cat', 'dog'],
    input: INPUT,
    size,
    hash: async () => 'f00d',
    stream: async function* ({ images = size, seed } = {}) {
      const order = seed === undefined ? examples.keys() : new Rng(seed, 'order').permutation(size);
      for (const i of [...order].slice(0, images)) yield examples[i] as Example;
    },
  };
}

export function contender(classifier: Classifier = smallClassifier(), training = 'standard'): Contender {
  const architecture = { name: classifier.name, title: 'Small', year: 2014, idea: 'small', parameters: 100 };
  return { architecture, training, classifier, sha256: `weights of ${classifier.name}` };
}

export const planned = (attack: Attack, params: Record<string, unknown> = {}): PlannedStage => ({
  attack,
  params: resolveParams(attack.name, attack.params, params),
});

/** An ensemble of these. */
export const together = (name: string, stages: readonly PlannedStage[]): PlannedAttack => ({
  attack: defineEnsemble({
    name,
    title: 'Together',
    paper: 'https://example.org',
    norms: ['Linf', 'L2', 'L1'],
    access: 'gradient',
    params: {},
    stages: () => stages.map(({ attack, params }) => ({ attack: attack.name, params })),
  }),
  params: {},
  stages,
});

/** Walks uphill by a hundredth a step, past the boundary and on: an attack of minimum norm. */
export const walk: Attack = defineAttack({
  name: 'walk',
  title: 'Walk',
  paper: 'https://example.org',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  minimumNorm: true,
  params: {},
  steps: () => 20,
  init: (x) => ({ x }),
  step: ({ x }, { ball, gradient }) => ({ x: ball.project(x.add(ball.steepest(gradient(x)).mul(0.01))) }),
});

export function plan(attacks: readonly PlannedAttack[], given: Partial<ExperimentPlan> = {}): ExperimentPlan {
  return {
    attacks,
    contenders: [contender()],
    dataset: smallDataset(20),
    images: 20,
    epsilons: [0, 0.05, 0.1],
    norm: 'Linf',
    goal: UNTARGETED,
    seed: 3,
    restarts: 1,
    batch: 8,
    galleryRows: 0,
    ...given,
  };
}

export const harness = (given: Partial<Harness> = {}): Harness => ({
  prepare: eager,
  backend: 'cpu',
  command: 'gibbon experiment',
  config: {},
  id: 'test',
  versions: { gibbon: '0.0.0', commit: null, packages: {} },
  ...given,
});

/** An attack that does something of its own: what a careless user may write. */
export const customAttack = (parts: Partial<Attack>): Attack =>
  defineAttack({
    name: 'custom',
    title: 'Custom',
    paper: 'https://example.org',
    norms: ['Linf', 'L2', 'L1'],
    access: 'gradient',
    params: {},
    steps: () => 3,
    init: (x) => ({ x }),
    step: (state) => state,
    ...parts,
  });

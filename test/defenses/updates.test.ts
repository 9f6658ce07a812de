import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Noise } from '../../src/core/ball.ts';
import type { Defense } from '../../src/core/defense.ts';
import { resolveParams } from '../../src/core/params.ts';
import { loadDefenses } from '../../src/discover/modules.ts';
import { batchNorm, chain, conv, dense, globalAveragePool, relu } from '../../src/models/blocks.ts';
import { networkOf, stillOutputs, trainingOutputs } from '../../src/models/network.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { memoryOf } from '../../src/train/memory.ts';
import { perturber } from '../../src/train/perturb.ts';
import { slotsOf } from '../../src/train/sgd.ts';
import { weightsByName } from '../../src/train/snapshot.ts';
import { type StepParts, trainingStep } from '../../src/train/step.ts';
import { fillWithOracleWeights, oracleImages, oracleUniform } from '../models/oracle-weights.ts';
import { oracle } from '../train/oracle.ts';
import { tinySpec } from '../train/tiny.ts';

beforeAll(() => tf.setBackend('cpu'));

const defenses = await loadDefenses();
const attacks = new Map<string, Attack>([
  ['fgsm', fgsm],
  ['pgd', pgd],
]);
const IMAGES = 6;
const SHAPE = [IMAGES, ...tinySpec.input] as const;
const PIXELS = IMAGES * 36;
const LABELS = Int32Array.of(0, 2, 1, 0, 1, 2);
const RATE = 0.1;

const inner = { steps: 2, step: 0.06 };
const CASES: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['fgsm-rs', {}],
  ['n-fgsm', {}],
  ['trades', { ...inner, beta: 6 }],
  ['mart', inner],
  ['free', {}],
  ['awp', { ...inner, gamma: 0.02 }],
];

function network() {
  const image = tf.input({ shape: [...tinySpec.input] });
  const body = chain(
    ...[conv(4, 3, { padding: 1, bias: false })('conv1'), batchNorm()('bn1'), relu()('relu1')],
    ...[conv(6, 3, { padding: 1, bias: false })('conv2'), batchNorm()('bn2'), relu()('relu2')],
    ...[globalAveragePool()('pool'), dense(tinySpec.classes)('dense')],
  );
  const model = tf.model({ inputs: image, outputs: body(image) });
  fillWithOracleWeights(model);
  return networkOf(tinySpec, model);
}

/** The losses before each of as many updates as PyTorch made on the one batch, and all weights after them. */
async function updated(defense: Defense, given: Readonly<Record<string, unknown>>, updates: number, prepare: Prepare) {
  const made = network();
  const { model, classifier } = made;
  const slots = slotsOf(model);
  const memory = memoryOf(defense, tinySpec.input, IMAGES);
  const threat = { norm: 'Linf', epsilon: 0.1 } as const;
  const still = (x: tf.Tensor4D) => stillOutputs(made, x);
  const parts: StepParts = {
    ...{
      defense,
      ...threat,
      slots,
      memory,
      average: undefined,
      still,
      momentum: 0.9,
      weightDecay: 5e-4,
      labelSmoothing: 0,
      clip: null,
    },
    weights: weightsByName(model),
    params: resolveParams(defense.name, defense.params, given),
    augment: (x) => x,
    perturb: perturber({ attacks, classifier, still: (x) => still(x).logits, ...threat }),
    logits: (x) => classifier.logits(x),
    model: (x) => trainingOutputs(made, x),
  };
  const step = await prepare(
    (x, y, draw, rate) => {
      const noise: Noise = (_, distribution) => (distribution === 'normal' ? draw.mul(2) : draw.add(1).div(2));
      return trainingStep(
        parts,
        { x: x as tf.Tensor4D, y: y as tf.Tensor1D, noise },
        { rate: rate as tf.Scalar, share: tf.scalar(0) },
      );
    },
    [{ shape: SHAPE }, { shape: [IMAGES], dtype: 'int32' }, { shape: SHAPE }, { shape: [] }],
    { weights: 'live' },
  );
  const losses: number[] = [];
  for (let i = 0; i < updates; i++) {
    const { loss } = await step(
      ...([oracleImages(IMAGES, tinySpec.input), LABELS, oracleUniform('draw', PIXELS)] as const),
      Float32Array.of(RATE),
    );
    losses.push(loss.data[0] as number);
  }
  const weights: Record<string, Float32Array> = {};
  for (const { name, read } of weightsOf(model)) weights[name] = await read();
  await step.release();
  tf.dispose([...slots.map(({ velocity }) => velocity), ...Object.values(memory)]);
  made.dispose();
  return { losses, weights };
}

describe.each([
  ['eager', eager],
  ['compiled', compile],
] as const)('%s updates', (_, prepare) => {
  it.each(CASES)(
    'of %s are those of the PyTorch program: losses, weights and running statistics',
    async (name, given) => {
      const expected = oracle.updates[name];
      if (expected === undefined) return expect.unreachable(`there is no oracle of ${name}`);
      const { losses, weights } = await updated(defenses.get(name) as Defense, given, expected.losses.length, prepare);
      losses.forEach((loss, i) => {
        expect(loss, `loss ${i}`).toBeCloseTo(expected.losses[i] as number, 4);
      });
      expect(Object.keys(weights).sort()).toEqual(Object.keys(expected.weights).sort());
      for (const [key, values] of Object.entries(expected.weights)) {
        values.forEach((value, i) => {
          expect(weights[key]?.[i], `${key}, number ${i}`).toBeCloseTo(value, 4);
        });
      }
    },
  );
});

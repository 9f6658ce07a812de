import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import { sizeOf } from '../../src/core/ball.ts';
import type { Defense } from '../../src/core/defense.ts';
import { UserError } from '../../src/core/errors.ts';
import { resolveParams } from '../../src/core/params.ts';
import { NORMS, type Norm } from '../../src/core/threat-model.ts';
import { loadDefenses } from '../../src/discover/modules.ts';
import { trainingLogits } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { epochBatches } from '../../src/train/batches.ts';
import { perturber } from '../../src/train/perturb.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { preparedStep } from '../../src/train/prepared-step.ts';
import { preparedLoss } from '../../src/train/step.ts';
import { disposeOwn, trainingVariables } from '../../src/train/variables.ts';
import { seededNoise } from '../core/batches.ts';
import { attacks, tinyDataset, tinyNetwork, tinyPlan, weightValues } from '../train/tiny.ts';

beforeAll(() => tf.setBackend('cpu'));

const defenses = [...(await loadDefenses()).values()].filter(({ trainingLoss }) => trainingLoss !== undefined);
const IMAGES = 12;

/** How far, in radii, from the clean image its method lets an image be that is trained on; 1 where nothing else is said. */
const REACH: Readonly<Record<string, number>> = { standard: 0, 'n-fgsm': 3 };

/** Few steps where a defense has them. */
const quick = ({ params }: Defense): Readonly<Record<string, unknown>> => ('steps' in params ? { steps: 2 } : {});

const planOf = (defense: Defense, changes: Partial<TrainingPlan> = {}): TrainingPlan =>
  tinyPlan(defense, { params: quick(defense), epsilon: 0.05, batch: IMAGES, dataset: tinyDataset(IMAGES), ...changes });

async function oneBatch() {
  const options = { heldOut: new Set<string>(), size: IMAGES, seed: 0, epoch: 0, from: 0 };
  for await (const batch of epochBatches(tinyDataset(IMAGES), options)) return batch;
  return expect.unreachable('there is no batch');
}

/** The losses of steps on one batch, and the weights after them. */
async function steps(defense: Defense, count: number) {
  const network = tinyNetwork();
  const plan = planOf(defense);
  const variables = trainingVariables(plan, network);
  const step = await preparedStep(plan, network, variables, compile);
  const batch = await oneBatch();
  const losses: number[] = [];
  for (let i = 0; i < count; i++) losses.push((await step.run(batch, { epoch: i, updates: i, rate: 0.1 })).loss);
  const weights = await weightValues(network);
  await step.release();
  disposeOwn(variables);
  network.dispose();
  return { losses, weights };
}

/** The images that a defense trains on, beside the clean ones, after `updates` of its memory by some gradient. */
async function imagesOf(defense: Defense, norm: Norm, updates: number) {
  const network = tinyNetwork();
  const { x: pixels, y: labels } = await oneBatch();
  const { epsilon, params, network: spec } = planOf(defense, { epsilon: 0.2 });
  const distances = tf.tidy(() => {
    const x: tf.Tensor4D = tf.tensor4d(pixels, [IMAGES, ...spec.input]);
    const { classifier } = network;
    let memory = Object.fromEntries(
      Object.entries(defense.memory?.(spec.input) ?? {}).map(([name, shape]) => [name, tf.zeros([IMAGES, ...shape])]),
    );
    const seen: tf.Tensor4D[] = [];
    for (let update = 0; update <= updates; update++) {
      const parts = {
        ...{ defense, norm, epsilon, memory, labelSmoothing: 0 },
        params: resolveParams(defense.name, defense.params, params),
        augment: (images: tf.Tensor4D) => images,
        perturb: perturber({ attacks, classifier, norm, epsilon }),
        logits: (images: tf.Tensor4D) => classifier.logits(images),
      };
      const y = tf.tensor1d(labels, 'int32');
      const { context, lossOf } = preparedLoss(parts, { x, y, noise: seededNoise(IMAGES, update) });
      lossOf((images) => {
        seen.push(images);
        return trainingLogits(network, images, () => tf.ones([IMAGES, 6]));
      });
      const gradients = Object.fromEntries(
        Object.entries(memory).map(([name, { shape }]) => [name, tf.randomNormal(shape, 0, 1, 'float32', update)]),
      );
      memory = { ...memory, ...(defense.remember?.(context, gradients) as typeof memory) };
    }
    return seen.map((images) => ({
      farthest: Math.max(...sizeOf(norm, images.sub(x)).dataSync()) / epsilon,
      isInBox: images.dataSync().every((value) => value >= 0 && value <= 1),
    }));
  });
  network.dispose();
  return distances;
}

describe.each(defenses.map((defense) => [defense.name, defense] as const))('training by %s', (name, defense) => {
  it('lowers its loss over 20 steps on one batch, and stays finite', async () => {
    const { losses, weights } = await steps(defense, 20);
    expect([...losses, ...weights].every(Number.isFinite)).toBe(true);
    const late = losses.slice(-3);
    expect(Math.max(...late), losses.join(' ')).toBeLessThan(losses[0] as number);
  });

  it.each(NORMS)('shows images no farther from the clean ones than its method says, in %s', async (norm) => {
    // Noise that a certificate is about has no bound, and is not clipped.
    if (name === 'randomized-smoothing') return;
    const images = await imagesOf(defense, norm, 2);
    expect(images.length).toBeGreaterThan(0);
    for (const { farthest, isInBox } of images) {
      expect(farthest).toBeLessThanOrEqual((REACH[name] ?? 1) + 1e-5);
      expect(isInBox).toBe(true);
    }
    // A bound that nothing comes near would hold of anything.
    if (REACH[name] !== 0) expect(Math.max(...images.map(({ farthest }) => farthest))).toBeGreaterThan(0.5);
  });

  it('refuses parameters that it has not or does not accept, in one line', async () => {
    const network = tinyNetwork();
    const variables = trainingVariables(planOf(defense), network);
    const refused = async (params: Readonly<Record<string, unknown>>, message: RegExp) => {
      const attempt = preparedStep(planOf(defense, { params }), network, variables, eager);
      await expect(attempt).rejects.toThrow(message);
      await expect(attempt).rejects.toBeInstanceOf(UserError);
    };
    await refused({ nonsense: 1 }, new RegExp(`^unknown parameter --${name}\\.nonsense`));
    for (const param of Object.keys(defense.params)) {
      await refused({ [param]: [] }, new RegExp(`^--${name}\\.${param} is \\[\\]; it must be`));
    }
    if ('attack' in defense.params) await refused({ attack: 'pgdd' }, /^unknown attack "pgdd"\. Did you mean "pgd"/);
    network.dispose();
  });
});

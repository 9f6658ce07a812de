import { beforeAll, describe, expect, it } from 'vitest';
import pgdTraining from '../../defenses/pgd-training.ts';
import standard from '../../defenses/standard.ts';
import { compile } from '../../src/compile/compile.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import { buildNetwork, type Network } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { epochBatches } from '../../src/train/batches.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { preparedStep } from '../../src/train/prepared-step.ts';
import { disposeOwn, trainingVariables } from '../../src/train/variables.ts';
import { tinyDataset, tinyNetwork, tinyPlan, tinySpec } from './tiny.ts';

beforeAll(() => tf.setBackend('cpu'));

const STEPS = 20;

/** The losses of the first steps of a training. */
async function losses(plan: TrainingPlan, network: Network, prepare: Prepare): Promise<number[]> {
  const variables = trainingVariables(plan, network);
  const step = await preparedStep(plan, network, variables, prepare);
  const found: number[] = [];
  for (let epoch = 0; found.length < STEPS; epoch++) {
    const options = { heldOut: new Set<string>(), size: plan.batch, seed: plan.seed, epoch, from: 0 };
    for await (const batch of epochBatches(plan.dataset, options)) {
      if (found.length < STEPS) found.push((await step.run(batch, { epoch, updates: found.length, rate: 0.05 })).loss);
    }
  }
  await step.release();
  disposeOwn(variables);
  network.dispose();
  return found;
}

function expectClose(compiled: readonly number[], reference: readonly number[]): void {
  expect(compiled.length).toBe(STEPS);
  compiled.forEach((loss, i) => {
    expect(Math.abs(loss - (reference[i] as number)), `step ${i}: ${loss} and ${reference[i]}`).toBeLessThan(1e-3);
  });
}

describe('compiled training steps', () => {
  it.each([
    ['standard', standard, {}],
    ['adversarial', pgdTraining, { steps: 2 }],
  ] as const)('of %s training give the losses of the eager reference', async (_name, defense, params) => {
    const plan = tinyPlan(defense, { params, batch: 8, dataset: tinyDataset(24) });
    expectClose(await losses(plan, tinyNetwork(), compile), await losses(plan, tinyNetwork(), eager));
  });

  it('of a whole VGG give the losses of the eager reference', async () => {
    const network = { ...tinySpec, arch: 'vgg11', width: 1 / 32 };
    const plan = tinyPlan(standard, { network, batch: 4, dataset: tinyDataset(12) });
    expectClose(
      await losses(plan, buildNetwork(network, 1), compile),
      await losses(plan, buildNetwork(network, 1), eager),
    );
  });
});

/** What the harness compiles, on WebGPU beside the CPU: steps of attacks, and updates of a training with an attack inside. */
import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../../attacks/fgsm.ts';
import pgd from '../../../attacks/pgd.ts';
import fgsmRs from '../../../defenses/fgsm-rs.ts';
import pgdTraining from '../../../defenses/pgd-training.ts';
import { compile } from '../../../src/compile/compile.ts';
import type { Provider } from '../../../src/compile/target.ts';
import type { Prepare } from '../../../src/compile/types.ts';
import type { Defense } from '../../../src/core/defense.ts';
import { CLASSES, IDS, imageOf, paramsOf, RADII, smooth } from '../../../src/laws/stage.ts';
import { lastIterate } from '../../../src/laws/states.ts';
import { tf } from '../../../src/tf.ts';
import { epochBatches } from '../../../src/train/batches.ts';
import { memoryOf } from '../../../src/train/memory.ts';
import { preparedStep } from '../../../src/train/prepared-step.ts';
import { slotsOf } from '../../../src/train/sgd.ts';
import { tinyDataset, tinyNetwork, tinyPlan, weightValues } from '../../train/tiny.ts';

beforeAll(() => tf.setBackend('cpu'));

const TOLERANCE = 1e-4;

const on =
  (provider: Provider): Prepare =>
  (fn, specs, options) =>
    compile(fn, specs, { ...options, provider });

const apart = (found: readonly number[], reference: readonly number[]): number[] =>
  found.map((value, i) => Math.abs(value - (reference[i] ?? Number.NaN)));

describe('a step compiled for WebGPU', () => {
  const cases = [fgsm, pgd].flatMap((attack) => (['Linf', 'L2'] as const).map((norm) => ({ attack, norm })));

  it.each(cases)('of $attack.name in $norm goes where it goes on the CPU', async ({ attack, norm }) => {
    const trial = {
      attack,
      classifier: smooth,
      params: paramsOf(attack, 3),
      norm,
      epsilon: RADII[norm][0],
      clean: Float32Array.from(IDS.flatMap((id) => [...imageOf(id)])),
      label: Int32Array.from(IDS, (id) => id % CLASSES),
    };
    const [found, reference] = [await lastIterate(on('webgpu'), trial), await lastIterate(on('cpu'), trial)];
    expect(found).not.toEqual(trial.clean);
    // A sign at a gradient of nearly zero may fall either way.
    const other = apart([...found], [...reference]).filter((distance) => !(distance < TOLERANCE));
    expect(other.length).toBeLessThanOrEqual(norm === 'Linf' ? 0.01 * found.length : 0);
  });
});

const UPDATES = 3;

/** The weights after a few updates, momentum and averages of batch normalisation included. */
async function trained(
  defense: Defense,
  params: Readonly<Record<string, unknown>>,
  prepare: Prepare,
): Promise<number[]> {
  const plan = tinyPlan(defense, { params, batch: 8, dataset: tinyDataset(8 * UPDATES) });
  const network = tinyNetwork();
  const slots = slotsOf(network.model);
  const memory = memoryOf(plan.defense, network.spec.input, plan.batch);
  const step = await preparedStep(plan, network, { slots, memory }, prepare);
  const options = { heldOut: new Set<string>(), size: plan.batch, seed: plan.seed, epoch: 0, from: 0 };
  for await (const batch of epochBatches(plan.dataset, options)) await step.run(batch, 0, 0.05);
  await step.release();
  const weights = await weightValues(network);
  tf.dispose([...slots.map(({ velocity }) => velocity), ...Object.values(memory)]);
  network.dispose();
  return weights;
}

describe('training compiled for WebGPU', () => {
  it.each([
    ['one step', fgsmRs, {}],
    ['two steps', pgdTraining, { steps: 2 }],
  ] as const)('against attacks of %s has the weights that the CPU has', async (_name, defense, params) => {
    const [found, reference] = [
      await trained(defense, params, on('webgpu')),
      await trained(defense, params, on('cpu')),
    ];
    const untrained = await weightValues(tinyNetwork());
    expect(Math.max(...apart(found, reference))).toBeLessThan(TOLERANCE);
    expect(Math.max(...apart(found, untrained))).toBeGreaterThan(100 * TOLERANCE);
  });
});

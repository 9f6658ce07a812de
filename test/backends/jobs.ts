/** What the harness has computed, in small: steps of all attacks and updates of all trainings, which give the same on every backend. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import type { Prepare } from '../../src/compile/types.ts';
import { type Attack, type Ensemble, isEnsemble } from '../../src/core/attack.ts';
import type { Defense } from '../../src/core/defense.ts';
import { CLASSES, IDS, imageOf, paramsOf, RADII, smooth } from '../../src/laws/stage.ts';
import { lastIterate } from '../../src/laws/states.ts';
import { epochBatches } from '../../src/train/batches.ts';
import { preparedStep } from '../../src/train/prepared-step.ts';
import { disposeOwn, trainingVariables } from '../../src/train/variables.ts';
import { tinyDataset, tinyNetwork, tinyPlan, weightValues } from '../train/tiny.ts';

/** Does a job with what a backend offers. */
export type OnBackend = <T>(job: (prepare: Prepare) => Promise<T>) => Promise<T>;

const TOLERANCE = 1e-4;

async function modulesIn<M>(folder: string): Promise<M[]> {
  const files = readdirSync(join(PACKAGE_ROOT, folder)).filter((file) => file.endsWith('.ts'));
  return Promise.all(
    files.map(async (file) => ((await import(join(PACKAGE_ROOT, folder, file))) as { default: M }).default),
  );
}

const attacks = (await modulesIn<Attack | Ensemble>('attacks'))
  .filter((attack): attack is Attack => !isEnsemble(attack))
  .flatMap((attack) => attack.norms.map((norm) => ({ attack, norm })));
/**
 * Not TRADES: it starts where its divergence is nearly flat, and the gradient there is a difference of nearly equal numbers, of
 * rounding as much as of anything. Its weights are 1e-3 apart between the eager and the compiled CPU already.
 */
const trainings = (await modulesIn<Defense>('defenses')).filter(
  ({ name, trainingLoss }) => trainingLoss !== undefined && name !== 'trades',
);

const apart = (found: readonly number[], reference: readonly number[]): number[] =>
  found.map((value, i) => Math.abs(value - (reference[i] ?? Number.NaN)));

/** Parameters with which all that an attack does is seen in a few steps. */
const BRISK: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cw: { steps: 3, c: 1 },
  ead: { steps: 3, c: 10 },
};

const UPDATES = 2;

/** The weights after a few updates, momentum and averages of batch normalisation included. */
async function trained(defense: Defense, prepare: Prepare): Promise<number[]> {
  const params = defense.params.steps === undefined ? {} : { steps: 2 };
  const plan = tinyPlan(defense, { params, batch: 8, dataset: tinyDataset(8 * UPDATES) });
  const network = tinyNetwork();
  const variables = trainingVariables(plan, network);
  const step = await preparedStep(plan, network, variables, prepare);
  const options = { heldOut: new Set<string>(), size: plan.batch, seed: plan.seed, epoch: 0, from: 0 };
  let updates = 0;
  for await (const batch of epochBatches(plan.dataset, options)) {
    const { isSound } = await step.run(batch, { epoch: 0, updates: updates++, rate: 0.05 });
    expect(isSound).toBe(true);
  }
  await step.release();
  const weights = await weightValues(network);
  disposeOwn(variables);
  network.dispose();
  return weights;
}

/** Registers the tests of a backend: all that it gives is within 1e-4 of what the reference gives. */
export function describeJobs(backend: string, on: OnBackend, onReference: OnBackend): void {
  describe(`on ${backend}, steps`, () => {
    it.each(attacks)('of $attack.name in $norm go where they should', async ({ attack, norm }) => {
      const trial = {
        attack,
        classifier: smooth,
        params: BRISK[attack.name] ?? paramsOf(attack, 3),
        norm,
        epsilon: RADII[norm][0],
        clean: Float32Array.from(IDS.flatMap((id) => [...imageOf(id)])),
        label: Int32Array.from(IDS, (id) => id % CLASSES),
        mostSteps: 3,
      };
      const job = (prepare: Prepare) => lastIterate(prepare, trial);
      const [found, reference] = [await on(job), await onReference(job)];
      // A sign at a gradient of nearly zero may fall either way.
      const other = apart([...found], [...reference]).filter((distance) => !(distance < TOLERANCE));
      expect(other.length).toBeLessThanOrEqual(0.01 * found.length);
      expect(found).not.toEqual(trial.clean);
    });
  });

  describe(`on ${backend}, training`, () => {
    it.each(trainings)('by $name leaves the weights that it should', async (defense) => {
      const job = (prepare: Prepare) => trained(defense, prepare);
      const [found, reference] = [await on(job), await onReference(job)];
      const untrained = await weightValues(tinyNetwork());
      expect(Math.max(...apart(found, reference))).toBeLessThan(TOLERANCE);
      expect(Math.max(...apart(found, untrained))).toBeGreaterThan(100 * TOLERANCE);
    });
  });
}

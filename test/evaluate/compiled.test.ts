import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import noise from '../../attacks/noise.ts';
import pgd from '../../attacks/pgd.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Run } from '../../src/core/run.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { tf } from '../../src/tf.ts';
import { harness, plan, planned } from './fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const attacks = [planned(noise), planned(fgsm), planned(pgd, { steps: 4 })];
const timeless = ({ cells }: Run) => cells.map(({ seconds: _, ...cell }) => cell);
const courseOf = ({ traces, perturbations, confusions }: Run) => ({ traces, perturbations, confusions });
const run = (batch: number, given: Parameters<typeof harness>[0]): Promise<Run> =>
  runExperiment(plan(attacks, { batch, restarts: 2, galleryRows: 2 }), harness(given));

describe('a compiled experiment', () => {
  it('gives the same cells whatever the batch size, and those of the reference', async () => {
    const compiled = await run(1, { prepare: compile });
    for (const batch of [7, 64]) {
      const other = await run(batch, { prepare: compile });
      expect(timeless(other)).toEqual(timeless(compiled));
      expect(other.gallery).toEqual(compiled.gallery);
      expect(courseOf(other)).toEqual(courseOf(compiled));
    }
    expect(timeless(await run(16, {}))).toEqual(timeless(compiled));
  });

  it.each([
    ['Linf', 0.3],
    ['L2', 1],
    ['L1', 3],
  ] as const)('stays in the ball of %s', async (norm, epsilon) => {
    const able = attacks.filter(({ attack }) => attack.norms.includes(norm));
    const { cells } = await runExperiment(plan(able, { norm, epsilons: [epsilon] }), harness({ prepare: compile }));
    expect(cells.map(({ unverified }) => unverified)).toEqual(able.map(() => 0));
    expect(Math.min(...cells.map(({ robustCorrect }) => robustCorrect))).toBeLessThan(18);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointPath } from '../../src/cli/checkpoints.ts';
import { experimentFlags } from '../../src/cli/experiment/flags.ts';
import { gridOf } from '../../src/cli/experiment/grids.ts';
import { planOf } from '../../src/cli/experiment/plan.ts';
import { withDefaults } from '../../src/cli/flags.ts';
import { NORMS } from '../../src/core/threat-model.ts';
import { headlineEpsilon } from '../../src/report/headline-epsilon.ts';
import { trainingRecordOf } from '../core/training-record.ts';
import { ARCH, makeWorkplace, saveNetwork, type Workplace } from './workplace.ts';

let work: Workplace;
const before = process.cwd();
beforeAll(async () => {
  work = await makeWorkplace();
  process.chdir(work.folder);
});
afterAll(async () => {
  process.chdir(before);
  await work.remove();
});

describe('the plan of an experiment', () => {
  it.each([
    ['Linf', null, 0.3],
    ['L2', null, 2],
    ['Linf', [0, 0.05, 0.1, 0.2, 0.4], 0.1],
    ['Linf', [0], 0],
  ] as const)('in %s at %j draws its pictures at the radius of the headline, %d', async (norm, epsilon, drawn) => {
    const own = { arch: [ARCH], training: ['standard'], attack: ['noise'], norm, epsilon };
    const { plan } = await planOf(withDefaults(experimentFlags, own), new Set(), {}, [], {}, new Date(0));
    expect(plan.galleryEpsilon).toBe(drawn);
    const { dataset, epsilons } = plan;
    expect(headlineEpsilon({ dataset: dataset.name, norm, epsilons }).epsilon).toBe(drawn);
  });

  it('draws its pictures at the radius that a network was trained against, where that is what the headline is at', async () => {
    await saveNetwork(checkpointPath('mnist', ARCH, 'adversarial'), {
      training: 'adversarial',
      record: trainingRecordOf({ epsilon: 0.2 }),
    });
    const own = { arch: [ARCH], training: ['adversarial'], attack: ['noise'], epsilon: [0, 0.05, 0.1, 0.2, 0.4] };
    const { plan } = await planOf(withDefaults(experimentFlags, own), new Set(), {}, [], {}, new Date(0));
    expect(plan.galleryEpsilon).toBe(0.2);
  });
});

describe('an attack that is fitted first', () => {
  it.each([
    ['uap', 'train'],
    ['pgd', undefined],
  ])('%s learns from the split %s', async (attack, split) => {
    const own = { arch: [ARCH], training: ['standard'], attack: [attack] };
    const { plan } = await planOf(withDefaults(experimentFlags, own), new Set(), {}, [], {}, new Date(0));
    expect(plan.fitDataset?.split).toBe(split);
    expect(plan.dataset.split).toBe('test');
  });
});

describe('the grids', () => {
  it.each(['mnist', 'fashion-mnist', 'cifar10', './photos'])('of %s ascend from 0, and 1 is all in Linf', (dataset) => {
    for (const norm of NORMS) {
      const grid = gridOf(dataset, norm);
      expect(grid[0]).toBe(0);
      expect(grid.toSorted((a, b) => a - b)).toEqual(grid);
      expect(new Set(grid).size).toBe(grid.length);
    }
    expect(gridOf(dataset, 'Linf').at(-1)).toBeLessThanOrEqual(1);
  });

  it('hold the radius at which the literature compares', () => {
    for (const dataset of ['mnist', 'fashion-mnist', 'cifar10', 'imagenet']) {
      for (const norm of ['Linf', 'L2'] as const) {
        const { why } = headlineEpsilon({ dataset, norm, epsilons: gridOf(dataset, norm) });
        expect(why, `${dataset} in ${norm}`).toMatch(/customary/);
      }
    }
  });

  it('look at photographs below 1/255, where undefended networks fall', () => {
    expect(gridOf('./photos', 'Linf').filter((epsilon) => epsilon > 0 && epsilon < 1 / 255)).toHaveLength(3);
  });
});

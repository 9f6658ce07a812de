import { describe, expect, it } from 'vitest';
import { parseGiven, withDefaults } from '../../src/cli/flags.ts';
import { flagsOfModules } from '../../src/cli/module-flags.ts';
import { planOf, trainFlags } from '../../src/cli/train/plan.ts';
import { loadDefenses } from '../../src/discover/modules.ts';
import { TRAINING_DEFAULTS } from '../../src/train/plan.ts';
import { schedules } from '../../src/train/schedule.ts';

const moduleFlags = flagsOfModules([...(await loadDefenses()).values(), ...schedules]);

async function plan(own: Record<string, unknown>, ofModules: Record<string, unknown> = {}) {
  return planOf(withDefaults(trainFlags, parseGiven(trainFlags, own)), parseGiven(moduleFlags, ofModules));
}

describe('the plan of a training', () => {
  it('is the recipe of the bundled checkpoints unless told otherwise', async () => {
    const made = await plan({});
    expect(made).toMatchObject(TRAINING_DEFAULTS);
    expect(made.network).toMatchObject({ arch: 'vgg16', variant: 'small', classes: 10, input: [28, 28, 1] });
    expect([made.defense.name, made.dataset.split, made.epsilon]).toEqual(['standard', 'train', 0.3]);
  });

  it('finds a way of training by its name and by what its networks are called', async () => {
    for (const training of ['pgd-training', 'adversarial']) {
      expect((await plan({ training })).defense.name).toBe('pgd-training');
    }
  });

  it('takes every flag over', async () => {
    const numbers = { epochs: '7', batch: '32', rate: '0.05', momentum: '0.5', seed: '9', epsilon: '8/255' };
    expect(await plan({ ...numbers, 'weight-decay': '0', width: '1/4', validation: '0', norm: 'l2' })).toMatchObject({
      ...{ epochs: 7, batch: 32, rate: 0.05, momentum: 0.5, seed: 9, epsilon: 8 / 255, weightDecay: 0, norm: 'L2' },
      network: { width: 0.25 },
      validation: { images: 0 },
    });
  });

  it('hands parameters to the defense and the schedule they belong to', async () => {
    const made = await plan(
      { training: 'adversarial', schedule: 'cyclic' },
      { 'pgd-training.steps': '3', 'cyclic.peak': '0.2' },
    );
    expect([made.params, made.schedule]).toEqual([{ steps: 3 }, { name: 'cyclic', params: { peak: 0.2 } }]);
  });

  it('refuses parameters of a defense or schedule that takes no part', async () => {
    await expect(plan({}, { 'pgd-training.steps': '3' })).rejects.toThrow(/pgd-training takes no part/);
    await expect(plan({}, { 'cosine.warmUp': '0' })).rejects.toThrow(/cosine takes no part/);
  });
});

import { beforeAll, expect, it } from 'vitest';
import apgdT from '../../attacks/apgd-t.ts';
import fgsm from '../../attacks/fgsm.ts';
import noise from '../../attacks/noise.ts';
import pgd from '../../attacks/pgd.ts';
import spsa from '../../attacks/spsa.ts';
import square from '../../attacks/square.ts';
import uap from '../../attacks/uap.ts';
import { dryRun, forecastInWords } from '../../src/cli/experiment/dry-run.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import type { PlannedStage } from '../../src/evaluate/plan.ts';
import { tf } from '../../src/tf.ts';
import { contender, harness, plan, planned, smallClassifier, smallDataset } from '../evaluate/fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

it('a dry run writes radii as people do', () => {
  const work = { networks: ['vgg16/standard'], dataset: 'mnist', split: 'test', images: 1, norm: 'Linf', attacks: [] };
  expect(forecastInWords({ ...work, epsilons: [0, 1 / 2040, 8 / 255, 0.3] })).toMatch(
    /^epsilons {2}0, 0\.125\/255, 8\/255, 0\.3 in Linf$/m,
  );
});

it('a dry run promises exactly what an attack costs that fools nobody', async () => {
  /** Ants, whatever it is shown. */
  const stubborn: Classifier = {
    ...smallClassifier(),
    logits: (x) =>
      x
        .mean([1, 2, 3])
        .expandDims(1)
        .mul(0)
        .add([[9, 0, 0, 0]]) as tf.Tensor2D,
  };
  const dataset = smallDataset(6, stubborn);
  const attacks = [
    planned(fgsm),
    planned(pgd, { steps: 3 }),
    planned(pgd, { steps: 2, random: false }),
    planned(noise),
    planned(square, { queries: 4 }),
    planned(apgdT as Attack, { steps: 3, targets: 2 }),
    planned(spsa, { steps: 2, samples: 2 }),
    planned(uap as Attack, { images: 5, batch: 2, passes: 2 }),
    planned(uap as Attack, { method: 'deepfool', images: 2, passes: 2, iterations: 2 }),
  ];
  for (const attack of attacks) {
    const made = plan([attack], { dataset, images: 6, contenders: [contender(stubborn)], restarts: 3 });
    const { cells } = await runExperiment(made, harness());
    const spent = cells.reduce((sum, { gradients }) => sum + gradients, 0);
    const passed = cells.reduce((sum, { forwards }) => sum + forwards, 0);
    const forecast = await dryRun(made);
    expect(forecast.attacks[0], attack.attack.name).toMatchObject({ gradients: spent, forwards: passed });
    // A transfer is one search more.
    const contenders = [contender(stubborn), contender({ ...stubborn, name: 'other' })];
    const both = { ...made, contenders, epsilons: [0.05] };
    const [alone, transferred] = [await dryRun(both), await dryRun({ ...both, transferEpsilon: 0.1 })];
    const times = attack.attack.access === 'none' ? 1 : 2;
    expect(transferred.attacks[0]?.items, attack.attack.name).toBe(times * (alone.attacks[0]?.items ?? 0));
    expect(forecastInWords(forecast)).toMatch(new RegExp(`^together +\\S+ +${spent} +${passed}$`, 'm'));
  }
});

it('a dry run of several attacks leaves the backend as it was', async () => {
  const several = plan([planned(fgsm), planned(pgd), planned(noise)]);
  tf.registerBackend('elsewhere', () => new tf.KernelBackend());
  try {
    await tf.setBackend('elsewhere');
    expect((await dryRun(several)).attacks).toHaveLength(3);
    expect(tf.getBackend()).toBe('elsewhere');
  } finally {
    await tf.setBackend('cpu');
  }
});

it('a dry run says how long that takes at most, part by part, if it may time the networks', async () => {
  const attacks = [planned(pgd, { steps: 3 }), planned(noise)];
  const made = plan(attacks, { images: 6 });
  const { seconds, attacks: each } = await dryRun(made, eager);
  expect(seconds?.attacks).toBeCloseTo(each.reduce((sum, one) => sum + (one.seconds ?? 0), 0));
  expect(seconds?.together).toBeCloseTo((seconds?.clean ?? 0) + (seconds?.attacks ?? 0));
  expect(seconds).toMatchObject({ clean: expect.any(Number), sanity: 0 });
  const probe = {
    name: 'p',
    why: '',
    link: '',
    planned: planned(pgd, { steps: 2 }) as PlannedStage,
    on: 'any',
  } as const;
  const checked = await dryRun({ ...made, sanity: { images: 2, probes: [probe] } }, eager);
  expect(checked.seconds?.sanity).toBeGreaterThan(0);
  expect((await dryRun(made)).seconds).toBeUndefined();
  const time = { clean: 1, attacks: 100, sanity: 20, together: 121 };
  expect(forecastInWords({ ...checked, seconds: time })).toMatch(
    /^takes {5}about 2 min 1 s at most .*: pgd .*, noise .*, sanity checks 20 s, without attack 1 s\n +an upper bound/m,
  );
});

import { beforeAll, describe, expect, it } from 'vitest';
import apgd from '../../../attacks/apgd.ts';
import pgd from '../../../attacks/pgd.ts';
import square from '../../../attacks/square.ts';
import { probesOf } from '../../../src/cli/experiment/sanity.ts';
import type { Attack } from '../../../src/core/attack.ts';
import type { Classifier } from '../../../src/core/classifier.ts';
import type { Check } from '../../../src/core/run.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { type Findings, type Probe, probeChecks, unrest } from '../../../src/evaluate/sanity/probes.ts';
import { tf } from '../../../src/tf.ts';
import { CLASSES, contender, harness, plan, planned, smallClassifier, smallDataset } from '../fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const attacks = [planned(pgd, { steps: 10 })];
const known = new Map<string, Attack>([
  ['apgd', apgd as unknown as Attack],
  ['pgd', pgd as unknown as Attack],
  ['square', square as unknown as Attack],
]);

/** As the program's, with fewer queries. */
const probes: readonly Probe[] = probesOf({ known, attacks, norm: 'Linf', classes: CLASSES }).map((probe) =>
  probe.planned.attack.name === 'square'
    ? { ...probe, planned: planned(square as unknown as Attack, { queries: 100 }) }
    : probe,
);

/** What the panel says of a network whose own classes are the labels. */
async function panelOn(classifier: Classifier): Promise<ReadonlyMap<string, Check>> {
  const run = await runExperiment(
    plan(attacks, {
      contenders: [contender(classifier)],
      dataset: smallDataset(20, classifier),
      epsilons: [0.1],
      sanity: { images: 12, probes },
    }),
    harness(),
  );
  return new Map(run.checks.map((check) => [check.name, check]));
}

const honest = smallClassifier();
const changed = (name: string, logits: (x: tf.Tensor4D) => tf.Tensor): Classifier => ({
  ...honest,
  name,
  logits: (x) => tf.tidy(() => logits(x) as tf.Tensor2D),
});

const OF_PROBES = [
  'the same image gets the same answer',
  'plain cross-entropy does not saturate',
  'gradients say something',
  'more steps find no more',
  'another loss finds no more',
  'a search without gradients finds no more',
  'a ball that holds grey reaches everything',
];

describe('the probes of the sanity panel', () => {
  it('find nothing wrong with an honest network', async () => {
    const panel = await panelOn(honest);
    for (const name of OF_PROBES) expect([name, panel.get(name)?.verdict]).toEqual([name, 'pass']);
  });

  it('flag activations that are quantised: gradients are zero, and a search finds what they do not', async () => {
    const panel = await panelOn(changed('quantised', (x) => honest.logits(x.mul(16).round().div(16) as tf.Tensor4D)));
    expect(panel.get('gradients say something')).toMatchObject({ verdict: 'fail', value: 1 });
    expect(panel.get('a search without gradients finds no more')?.verdict).toBe('warn');
    expect(panel.get('a search without gradients finds no more')?.why).toMatch(/quantised\/standard, \d+ images/);
  });

  it('flag a softmax of so sharp a temperature that its gradient underflows', async () => {
    const panel = await panelOn(changed('sharp', (x) => honest.logits(x).mul(1e5)));
    expect(panel.get('gradients say something')?.verdict).toBe('fail');
    // The ratio of logits knows no temperature.
    expect(panel.get('another loss finds no more')?.verdict).toBe('warn');
  });

  it('tell a loss that saturates elsewhere from a gradient that is not there', async () => {
    const name = 'plain cross-entropy does not saturate';
    const scaled = (by: number) => panelOn(changed(`times ${by}`, (x) => honest.logits(x).mul(by)));
    const [warm, hot] = [await scaled(25), await scaled(1000)];
    expect(warm.get(name)).toMatchObject({ verdict: 'warn', threshold: 0.5 });
    expect(warm.get('gradients say something')?.verdict).toBe('pass');
    expect(hot.get(name)).toMatchObject({ verdict: 'warn', value: 1 });
    expect(hot.get(name)?.why).toMatch(/its numbers are sound.* Largest for times 1000\/standard, \d+ images\.$/);
  });

  it('flag a network that answers at random', async () => {
    let calls = 0;
    const panel = await panelOn(
      changed('random', (x) => {
        calls += 1;
        return honest.logits(x.add(0.01 * Math.sin(calls)) as tf.Tensor4D);
      }),
    );
    expect(panel.get('the same image gets the same answer')).toMatchObject({ verdict: 'fail' });
  });

  it('find the largest difference of many answers, and none smaller than of one that is no number', () => {
    const many = Array.from({ length: 300 }, () => new Float32Array(1000));
    expect(unrest(many, many)).toBe(0);
    const once = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
    expect(unrest(once, [Float32Array.of(1, 2.5), Float32Array.of(2, 4)])).toBe(1);
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(unrest(once, [Float32Array.of(1, odd), Float32Array.of(3, 4)])).toBe(Number.MAX_VALUE);
  });

  it('forgive one image of each network’s own, however many were tried on another', () => {
    const name = 'more steps find no more';
    const small = plan(attacks, { sanity: { images: 40, probes } });
    const verdict = (...found: readonly Findings[string][]) =>
      probeChecks(small, new Map(found.map((one, i) => [contender(smallClassifier(i)), { [name]: one }]))).find(
        (check) => check.name === name,
      );
    expect(verdict({ value: 0, images: 40 }, { value: 1 / 3, images: 3 })?.verdict).toBe('pass');
    expect(verdict({ value: 0, images: 40 }, { value: 2 / 3, images: 3 })).toMatchObject({
      ...{ verdict: 'warn', value: 2 / 3, threshold: 0.5 },
    });
    expect(verdict({ value: 2 / 40, images: 40 }, { value: 1 / 3, images: 3 })).toMatchObject({
      ...{ verdict: 'warn', value: 0.05, threshold: 1.5 / 40 },
    });
  });

  it('change no accuracy, and are not there unless asked for', async () => {
    const given = { epsilons: [0.05, 0.1] };
    const [plain, panel] = [
      await runExperiment(plan(attacks, given), harness()),
      await runExperiment(plan(attacks, { ...given, sanity: { images: 5, probes } }), harness()),
    ];
    const timeless = plain.cells.map(({ seconds: _, ...cell }) => cell);
    expect(panel.cells.map(({ seconds: _, ...cell }) => cell)).toEqual(timeless);
    expect(plain.checks.map(({ name }) => name)).not.toContain('gradients say something');
  });

  it('are made as norm and classes allow', () => {
    const names = (given: Partial<Parameters<typeof probesOf>[0]>) =>
      probesOf({ known, attacks, norm: 'Linf', classes: 10, ...given }).map(({ planned: { attack } }) => attack.name);
    expect(names({})).toEqual(['pgd', 'apgd', 'square', 'pgd']);
    expect(names({ classes: 2 })).toEqual(['pgd', 'square', 'pgd']);
    expect(names({ norm: 'L1' })).toEqual(['pgd', 'apgd', 'square', 'pgd']);
    expect(names({ norm: 'spatial', attacks: [] })).toEqual([]);
    expect(names({ attacks: [] })).toEqual(['apgd', 'square', 'pgd']);
    const [longer] = probesOf({ known, attacks, norm: 'Linf', classes: 10 });
    expect(longer?.planned.params.steps).toBe(40);
  });
});

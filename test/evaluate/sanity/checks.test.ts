import { describe, expect, it } from 'vitest';
import type { Cell, Transfer } from '../../../src/core/run.ts';
import type { Norm } from '../../../src/core/threat-model.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { sanityChecks } from '../../../src/evaluate/sanity/checks.ts';
import { tf } from '../../../src/tf.ts';
import { trainingRecordOf } from '../../core/training-record.ts';
import { contender, customAttack, harness, plan, planned, smallClassifier } from '../fixtures.ts';

const cell = (attack: string, epsilon: number, robust: number, given: Partial<Cell> = {}): Cell => ({
  ...{ arch: 'a', training: 't', dataset: 'd', attack, params: {}, norm: 'Linf', epsilon, restarts: 1, images: 1000 },
  goal: { kind: 'untargeted' },
  ...{ cleanCorrect: 900, cleanAccuracy: 0.9, robustCorrect: robust, robustAccuracy: robust / 1000 },
  ...{ robustCorrect8bit: robust, robustAccuracy8bit: robust / 1000, wilson95: [0, 1], cleanWilson95: [0, 1] },
  ...{ gradients: 0, forwards: 0, unverified: 0, seconds: 0 },
  ...given,
});

const ATTACKS = [
  { name: 'noise', access: 'none', steps: 0 },
  { name: 'fgsm', access: 'gradient', steps: 1 },
  { name: 'pgd', access: 'gradient', steps: 40 },
] as const;

/** Ten steps uphill, of three tenths of the radius each. */
const strongest = customAttack({
  name: 'strongest',
  steps: () => 10,
  step: ({ x }, { ball, epsilon, gradient }) => ({
    x: ball.project(x.add(ball.steepest(gradient(x)).mul(epsilon.mul(0.3)))),
  }),
});

const check = (name: string, cells: readonly Cell[]) =>
  sanityChecks(cells, ATTACKS).find((found) => found.name === name);

describe('the sanity panel', () => {
  it('fails a radius of 0 that changes the accuracy by a single image', () => {
    expect(check('radius 0 changes nothing', [cell('pgd', 0, 900)])?.verdict).toBe('pass');
    expect(check('radius 0 changes nothing', [cell('pgd', 0, 899)])?.verdict).toBe('fail');
    expect(check('radius 0 changes nothing', [cell('pgd', 0.1, 899)])?.verdict).toBe('not-run');
  });

  it('warns of an accuracy that rises with the radius, even over several radii, and says where', () => {
    const name = 'accuracy falls with the radius';
    expect(check(name, [cell('pgd', 0.1, 500), cell('pgd', 0.2, 510)])?.verdict).toBe('pass');
    const creeping = [cell('pgd', 0.1, 500), cell('pgd', 0.2, 508), cell('pgd', 0.3, 516)];
    expect(check(name, creeping)).toMatchObject({ verdict: 'warn', value: 0.016, threshold: 0.01 });
    expect(check(name, creeping)?.why).toMatch(/pgd on a\/t, ε = 0.3/);
    expect(check(name, [cell('pgd', 0.1, 500), cell('fgsm', 0.2, 600)])?.verdict).toBe('not-run');
  });

  it('warns of noise that is stronger than a gradient', () => {
    const name = 'noise is weaker than gradients';
    expect(check(name, [cell('noise', 0.1, 800), cell('pgd', 0.1, 300)])?.verdict).toBe('pass');
    expect(check(name, [cell('noise', 0.1, 800), cell('pgd', 0.1, 850)])?.verdict).toBe('warn');
    expect(check(name, [cell('noise', 0.1, 800), cell('pgd', 0.2, 850)])?.verdict).toBe('not-run');
    expect(check(name, [cell('pgd', 0.1, 850)])?.verdict).toBe('not-run');
  });

  it('warns of many steps that are weaker than one', () => {
    const name = 'many steps are at least as strong as one';
    expect(check(name, [cell('fgsm', 0.1, 400), cell('pgd', 0.1, 409)])?.verdict).toBe('pass');
    expect(check(name, [cell('fgsm', 0.1, 400), cell('pgd', 0.1, 420)])?.verdict).toBe('warn');
    const others = [cell('fgsm', 0.1, 400), cell('pgd', 0.1, 420, { training: 'other' })];
    expect(check(name, others)?.verdict).toBe('not-run');
  });

  describe('of a defense that withstands one step', () => {
    const name = 'what withstands one step withstands many';
    const at = (training: string, oneStep: number, many: number, epsilon = 0.3) => [
      cell('fgsm', epsilon, oneStep, { training }),
      cell('pgd', epsilon, many, { training }),
    ];
    /** Of which the report speaks of .3. */
    const found = (cells: readonly Cell[]) =>
      sanityChecks(cells, ATTACKS, [], { reported: 0.3 }).find((check) => check.name === name);

    it('warns where many steps leave over 20 points less, and says where', () => {
      expect(found(at('adversarial', 830, 3))).toMatchObject({ verdict: 'warn', value: 0.827, threshold: 0.2 });
      expect(found(at('adversarial', 830, 3))?.why).toMatch(/pgd on a\/adversarial, ε = 0\.3, against fgsm\.$/);
      expect(found([...at('adversarial', 960, 940), ...at('fgsm', 850, 250, 0.2)])?.verdict).toBe('warn');
    });

    it('passes one that stands under many steps as well', () => {
      expect(found(at('adversarial', 960, 940))).toMatchObject({ verdict: 'pass', value: 0.02 });
      expect(found(at('adversarial', 700, 500))?.verdict).toBe('pass');
      expect(found(at('adversarial', 300, 800))?.verdict).toBe('pass');
    });

    it('takes the gap of plainly trained networks, and of those beyond the reported radius, for what it is', () => {
      for (const training of ['standard', 'standard/mine', 'given', 'given/theirs'])
        expect([training, found(at(training, 730, 10))?.verdict]).toEqual([training, 'not-run']);
      expect(found([...at('adversarial', 960, 940), ...at('adversarial', 900, 0, 0.4)])?.verdict).toBe('pass');
    });

    it('looks at the radius of the training where the checkpoint tells it, whatever the report speaks of', () => {
      const foundOf = (epsilon: number, norm: Norm, cells: readonly Cell[]) =>
        sanityChecks(cells, ATTACKS, [], {
          reported: 0.3,
          trainings: [{ arch: 'a', training: 'adversarial', record: trainingRecordOf({ epsilon, norm }) }],
        }).find((check) => check.name === name);
      const collapsed = at('adversarial', 830, 3, 0.3);
      expect(foundOf(0.1, 'Linf', [...at('adversarial', 960, 940, 0.1), ...collapsed])).toMatchObject({ value: 0.02 });
      expect(foundOf(0.3, 'Linf', collapsed)?.verdict).toBe('warn');
      expect(foundOf(0.1 + 0.2, 'Linf', collapsed)?.verdict).toBe('warn');
      expect(foundOf(0.4, 'Linf', at('adversarial', 830, 3, 0.4))?.verdict).toBe('warn');
      expect(foundOf(2, 'L2', collapsed)?.verdict).toBe('not-run');
    });

    it('leaves networks alone that were trained without an adversary, as their checkpoints tell', () => {
      const foundOf = (adversarial: boolean) => {
        const defense = { name: 'randomized-smoothing', params: {}, adversarial };
        const trainings = [{ arch: 'a', training: 'randomized-smoothing', record: trainingRecordOf({ defense }) }];
        const collapsed = at('randomized-smoothing', 830, 3);
        return sanityChecks(collapsed, ATTACKS, [], { reported: 0.3, trainings }).find((check) => check.name === name);
      };
      expect(foundOf(true)?.verdict).toBe('warn');
      expect(foundOf(false)?.verdict).toBe('not-run');
    });

    it('needs both attacks on the same network at the same radius', () => {
      expect(found([cell('fgsm', 0.3, 900), cell('pgd', 0.2, 0)])?.verdict).toBe('not-run');
      expect(found([cell('fgsm', 0.3, 900), cell('pgd', 0.3, 0, { arch: 'b' })])?.verdict).toBe('not-run');
      expect(found([cell('noise', 0.3, 900), cell('pgd', 0.3, 0)])?.verdict).toBe('not-run');
    });

    it('speaks of the same radius as the report', async () => {
      await tf.setBackend('cpu');
      const attacks = [planned(customAttack({ name: 'still', steps: () => 1 })), planned(strongest)];
      const given = { contenders: [contender(smallClassifier(), 'adversarial')], epsilons: [0.01, 0.4] };
      const verdictAt = async (galleryEpsilon: number) => {
        const { checks } = await runExperiment(plan(attacks, { ...given, galleryEpsilon }), harness());
        return checks.find((check) => check.name === name)?.verdict;
      };
      expect(await verdictAt(0.01)).toBe('pass');
      expect(await verdictAt(0.4)).toBe('warn');
    });
  });

  it('warns of images made against another network that fool more than those made against the network itself', () => {
    const tried = (fooled: number, given: Partial<Transfer> = {}): Transfer => ({
      ...{ source: { arch: 'a', training: 's' }, target: { arch: 'a', training: 't' }, attack: 'pgd', norm: 'Linf' },
      ...{ epsilon: 0.1, images: 1000, fooled, whiteBoxFooled: 500, accuracy: 1 - fooled / 1000, wilson95: [0, 1] },
      ...given,
    });
    const transferCheck = (...transfer: readonly Transfer[]) =>
      sanityChecks([], ATTACKS, transfer).find(({ name }) => name === 'transfer is weaker than white box');
    expect(transferCheck(tried(510))).toMatchObject({ verdict: 'pass', value: 0.01, threshold: 0.01 });
    expect(transferCheck(tried(100), tried(511))).toMatchObject({ verdict: 'warn', value: 0.011 });
    expect(transferCheck(tried(511))?.why).toMatch(/Largest for pgd from a\/s on a\/t, ε = 0\.1\.$/);
    expect(transferCheck(tried(511, { source: { arch: 'a', training: 't' } }))?.verdict).toBe('not-run');
    expect(transferCheck()?.verdict).toBe('not-run');
  });

  it('forgives two images of each pair of networks, however many others have in common, and shows its own threshold', () => {
    const tried = (images: number, fooled: number, target: string): Transfer => ({
      ...{ source: { arch: 'a', training: 's' }, target: { arch: 'a', training: target }, attack: 'pgd', norm: 'Linf' },
      ...{ epsilon: 0.1, images, fooled, whiteBoxFooled: 0, accuracy: 0, wilson95: [0, 1] },
    });
    const found = (...transfer: readonly Transfer[]) =>
      sanityChecks([], ATTACKS, transfer).find(({ name }) => name === 'transfer is weaker than white box');
    expect(found(tried(1000, 10, 'many'), tried(10, 2, 'few'))?.verdict).toBe('pass');
    expect(found(tried(1000, 10, 'many'), tried(10, 3, 'few'))).toMatchObject({ verdict: 'warn', threshold: 0.2 });
    const worse = found(tried(1000, 11, 'many'), tried(10, 2, 'few'));
    expect(worse).toMatchObject({ verdict: 'warn', value: 0.011, threshold: 0.01 });
    expect(worse?.why).toMatch(/on a\/many/);
  });

  it('tells rounding at the boundary from an attack that cheats', () => {
    const name = 'every claimed success is confirmed';
    expect(check(name, [cell('pgd', 0.1, 300)])?.verdict).toBe('pass');
    const many = Array.from({ length: 3 }, (_, i) => cell('pgd', i, 100));
    expect(check(name, [...many, cell('pgd', 9, 100, { unverified: 1 })])).toMatchObject({ verdict: 'warn', value: 1 });
    const failed = check(name, [cell('pgd', 0.1, 300, { unverified: 30 })]);
    expect(failed?.verdict).toBe('fail');
    expect(failed?.why).toMatch(/ε = 0\.1: 30 of \d+ candidates refused\.$/);
  });

  it('forgives two images where there are few', () => {
    const few = [cell('pgd', 0.1, 5, { images: 20 }), cell('pgd', 0.2, 7, { images: 20 })];
    expect(check('accuracy falls with the radius', few)?.verdict).toBe('pass');
  });
});

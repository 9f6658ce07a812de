import { describe, expect, it } from 'vitest';
import type { Cell, Transfer } from '../../src/core/run.ts';
import { sanityChecks } from '../../src/evaluate/checks.ts';

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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridOf } from '../../src/cli/experiment/grids.ts';
import { goalOf, radiiOf } from '../../src/cli/experiment/threat.ts';

const MNIST = { name: 'mnist', input: [28, 28, 1] } as const;
const PHOTOS = { name: './photos', input: [224, 224, 3] } as const;
const DIGITS = ['zero', 'one', 'two'];

describe('radii', () => {
  it('come out ascending and each once', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (given) => {
        const radii = radiiOf(given, MNIST, 'Linf');
        expect(new Set(radii)).toEqual(new Set(given));
        for (let i = 1; i < radii.length; i++) expect(radii[i]).toBeGreaterThan(radii[i - 1] as number);
      }),
    );
  });

  it('beyond the pixel range are refused in Linf, with the fraction that may be meant', () => {
    expect(() => radiiOf([8], MNIST, 'Linf')).toThrow(/--epsilon 8: .* in Linf at most 1.*did you mean 8\/255\?/);
    expect(() => radiiOf([1000], MNIST, 'Linf')).toThrow(/^(?!.*did you mean)/);
  });

  it('may exceed 1 in L2 and L1', () => {
    expect(radiiOf([8, 2], MNIST, 'L2')).toEqual([2, 8]);
    expect(radiiOf([20], MNIST, 'L1')).toEqual([20]);
  });

  it('beyond the diameter of all images are refused in L2 and L1', () => {
    expect(radiiOf([28], MNIST, 'L2')).toEqual([28]);
    expect(() => radiiOf([28.1], MNIST, 'L2')).toThrow(/^--epsilon 28\.1: no two images of 28x28x1 .* 28 apart in L2$/);
    expect(() => radiiOf([785], MNIST, 'L1')).toThrow(/ 784 apart in L1$/);
  });

  it('below zero are refused in every norm', () => {
    for (const norm of ['Linf', 'L2', 'L1'] as const)
      expect(() => radiiOf([-0.1], MNIST, norm)).toThrow(/a radius is 0 or more/);
  });

  it('not given are the grid of the dataset in the norm', () => {
    expect(radiiOf(null, MNIST, 'Linf')).toEqual(gridOf('mnist', 'Linf'));
    expect(radiiOf(null, PHOTOS, 'L2')).toEqual(gridOf('./photos', 'L2'));
  });
});

describe('the goal', () => {
  it('is untargeted unless a class is named', () => {
    expect(goalOf(null, DIGITS)).toEqual({ kind: 'untargeted' });
  });

  it('names a class by its index or by its name', () => {
    expect(goalOf('1', DIGITS)).toEqual({ kind: 'targeted', target: 1 });
    expect(goalOf('two', DIGITS)).toEqual({ kind: 'targeted', target: 2 });
  });

  it('prefers the name where names are numbers', () => {
    expect(goalOf('1', ['1', '0'])).toEqual({ kind: 'targeted', target: 0 });
  });

  it('is refused where there is no such class', () => {
    expect(() => goalOf('3', DIGITS)).toThrow('--target 3: classes are numbered from 0 to 2');
    expect(() => goalOf('-1', DIGITS)).toThrow(/numbered from 0 to 2/);
    expect(() => goalOf('twoo', DIGITS)).toThrow(/unknown class "twoo"\. Did you mean "two"\?/);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRequirements, requirement, shortfalls } from '../../src/cli/experiment/fail-under.ts';
import type { Cell, WorstCase } from '../../src/core/run.ts';

const cell = (attack: string, epsilon: number, robustAccuracy: number) =>
  ({ arch: 'vgg16', training: 'standard', attack, epsilon, robustAccuracy }) as Cell;

describe('--fail-under', () => {
  it('reads attack, radius and accuracy', () => {
    expect(requirement.parse('pgd@8/255=1/2')).toEqual({ attack: 'pgd', epsilon: 8 / 255, accuracy: 0.5 });
  });

  it('reads back what it writes', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (epsilon, accuracy) => {
        expect(requirement.parse(`fgsm@${epsilon}=${accuracy}`)).toEqual({ attack: 'fgsm', epsilon, accuracy });
      }),
    );
  });

  it('refuses anything else', () => {
    for (const word of ['pgd', 'pgd@.3', 'pgd@.3=50', 'pgd@x=.5', '@.3=.5', 'pgd@-1=.5', 'pgd@.3=.5=.5']) {
      expect(requirement.parse(word)).toBeUndefined();
    }
  });

  it('refuses what the run does not measure', () => {
    const required = [{ attack: 'pgd', epsilon: 0.3, accuracy: 0.5 }];
    expect(() => checkRequirements(required, ['fgsm'], [0.3])).toThrow(/pgd, which is not among the attacks: fgsm/);
    expect(() => checkRequirements(required, ['pgd'], [0.1, 0.2])).toThrow(/epsilon 0\.3, which is not measured/);
    expect(() => checkRequirements(required, ['pgd'], [0.1, 0.3])).not.toThrow();
  });

  it('finds exactly the cells below the mark', () => {
    const required = [{ attack: 'pgd', epsilon: 0.3, accuracy: 0.5 }];
    const cells = [cell('pgd', 0.3, 0.49), cell('pgd', 0.3, 0.5), cell('pgd', 0.2, 0), cell('fgsm', 0.3, 0)];
    const lines = shortfalls(required, { cells });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('0.49');
  });

  it('takes all attacks together by the name of worst, unless an attack is called that', () => {
    const required = [{ attack: 'worst', epsilon: 0.3, accuracy: 0.5 }];
    expect(() => checkRequirements(required, ['pgd'], [0.3])).not.toThrow();
    const cells = [cell('pgd', 0.3, 0.6), cell('fgsm', 0.3, 0.7)];
    const worst = (epsilon: number, robustAccuracy: number) =>
      ({ ...cell('', epsilon, robustAccuracy) }) as unknown as WorstCase;
    expect(shortfalls(required, { cells, worstCases: [worst(0.3, 0.49), worst(0.2, 0)] })).toEqual([
      'vgg16 (standard) keeps 0.49 under all attacks together at 0.3; 0.5 is required',
    ]);
    expect(shortfalls(required, { cells, worstCases: [worst(0.3, 0.5)] })).toEqual([]);
    expect(shortfalls(required, { cells: [cell('worst', 0.3, 0.9)], worstCases: [worst(0.3, 0)] })).toEqual([]);
  });
});

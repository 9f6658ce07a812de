import { beforeAll, describe, expect, test } from 'vitest';
import type { Cell, Run } from '../../src/core/run.ts';
import type { TrainingRecord } from '../../src/core/training-record.ts';
import { findingText } from '../../src/report/finding.ts';
import { headlineEpsilon } from '../../src/report/headline-epsilon.ts';
import { type Contender, type Slice, slicesOf } from '../../src/report/slice.ts';
import { standingOf } from '../../src/report/worst-case.ts';
import { trainingRecordOf } from '../core/training-record.ts';
import { cellOf, sampleRun } from './sample-run.ts';

let base: Run;

beforeAll(async () => {
  base = await sampleRun({ galleryRows: 0 });
});

const box = { arch: 'vgg16', training: 'standard', attack: 'pgd', norm: 'Linf', epsilon: 0.3 } as const;
const cell = (changes: Partial<Parameters<typeof cellOf>[0]>): Cell =>
  cellOf({ ...box, goal: { kind: 'untargeted' }, images: 1000, clean: 990, robust: 10, ...changes });

function runOf(...cells: readonly Cell[]): Run {
  const { worstCases: _, ...rest } = base;
  return { ...rest, cells: [...cells] };
}

const firstSlice = (run: Run): Slice => {
  const [slice] = slicesOf(run);
  if (slice === undefined) throw new Error('a run has a slice');
  return slice;
};

describe('the finding', () => {
  test('of one network under one attack', () => {
    expect(findingText(runOf(cell({})))).toBe('Under pgd at L∞ ε = 0.3, VGG-16 falls from 99.0 % to 1.0 % [0.5–1.8].');
  });

  test('of a targeted attack names the target', () => {
    const targeted = runOf(cell({ goal: { kind: 'targeted', target: 3 } }));
    expect(findingText(targeted)).toMatch(/^Under pgd towards class 3 at L∞ ε = 0\.3, VGG-16 falls/);
    const named = { ...targeted, classes: ['tench', 'indri', 'langur', 'gibbon'] };
    expect(findingText(named)).toMatch(/^Under pgd towards “gibbon” at L∞ ε = 0\.3, VGG-16 falls/);
  });

  test('of a network whose training nobody stated says nothing of it', () => {
    const given = { training: 'given' } as const;
    expect(findingText(runOf(cell(given)))).toBe(findingText(runOf(cell({}))));
    const two = findingText(runOf(cell(given), cell({ ...given, arch: 'other', robust: 20 })));
    expect(two).toMatch(/, the best of 2 given networks, other, falls from/);
  });

  test('compares two ways of training and takes the worst attack', () => {
    const cells = [
      cell({ attack: 'fgsm', robust: 100 }),
      cell({}),
      cell({ training: 'adversarial', attack: 'fgsm', clean: 980, robust: 950 }),
      cell({ training: 'adversarial', clean: 980, robust: 940 }),
    ];
    expect(findingText(runOf(...cells))).toBe(
      'Under the worst of fgsm and pgd at L∞ ε = 0.3, VGG-16 falls from 99.0 % to 1.0 % [0.5–1.8]; ' +
        'adversarially trained, it falls from 98.0 % to 94.0 % [92.4–95.3].',
    );
  });

  test('names the best of many defenses, after the networks that stand behind none', () => {
    const defended = (names: readonly string[], training = 'standard'): Cell[] =>
      names.map((name, i) => cell({ training: `${training}+${name}`, clean: 980, robust: 10 * i }));
    const two = findingText(runOf(cell({}), ...defended(['jpeg', 'median'])));
    expect(two).toMatch(/; jpeg-defended, it falls .*; median-defended, it falls /);
    const four = runOf(cell({}), ...defended(['jpeg', 'median', 'crop', 'blur']));
    expect(findingText(four)).toBe(
      'Under pgd at L∞ ε = 0.3, VGG-16 falls from 99.0 % to 1.0 % [0.5–1.8]; ' +
        'behind the best of 4 defenses, blur, VGG-16 falls from 98.0 % to 3.0 % [2.1–4.3].',
    );
    const none = runOf(
      ...defended(['jpeg', 'median', 'crop']).map((one) => ({ ...one, robustCorrect: 0, robustAccuracy: 0 })),
    );
    expect(findingText(none)).toMatch(/0\.3, behind none of 3 defenses does VGG-16 keep more than 0\.0 % \[/);
    const alone = runOf(...defended(['jpeg', 'median', 'crop'], 'adversarial'));
    expect(findingText(alone)).toMatch(
      /0\.3, behind the best of 3 defenses, crop, adversarially trained VGG-16 falls /,
    );
  });

  test('names the best of several networks', () => {
    const run = { ...runOf(cell({}), cell({ arch: 'other', robust: 20 })) };
    expect(findingText(run)).toMatch(/, the best of 2 standard-trained networks, other, falls from 99\.0 % to 2\.0 % /);
  });

  describe('of many networks', () => {
    const ROBUST = { vgg16: 10, resnet18: 20, alexnet: 0, other: 0 };
    const all = (
      changes: Partial<Parameters<typeof cellOf>[0]> = {},
      robust: Readonly<Record<string, number>> = ROBUST,
    ) => Object.entries(robust).map(([arch, left], i) => cell({ arch, clean: 990 - i, robust: left, ...changes }));

    test('is one sentence that gives the range, and names its ends where they are one network', () => {
      expect(findingText(runOf(...all()))).toBe(
        'Under pgd at L∞ ε = 0.3, 4 networks fall from 98.7 % or more to between 0.0 % [0.0–0.4] and 2.0 % [1.3–3.1] (resnet18).',
      );
    });

    test('says only once that they are the same networks, trained another way', () => {
      const hardened = all({ training: 'adversarial' }, { vgg16: 600, resnet18: 500, alexnet: 700, other: 650 });
      expect(findingText(runOf(...all(), ...hardened))).toMatch(
        /; adversarially trained, they fall from 98\.7 % or more to between 50\.0 % \[.*?\] \(resnet18\) and 70\.0 % \[.*?\] \(alexnet\)\.$/,
      );
      expect(findingText(runOf(...all(), ...hardened.slice(0, 3)))).toMatch(
        /; 3 adversarially trained networks fall from /,
      );
      expect(findingText(runOf(...all(), ...hardened.slice(0, 1)))).toMatch(
        /; adversarially trained VGG-16 falls from /,
      );
    });

    test('has one number for all if they end alike', () => {
      expect(findingText(runOf(...all({ robust: 0 })))).toMatch(
        /, 4 networks all fall from 98\.7 % or more to 0\.0 % \[0\.0–0\.4\]\.$/,
      );
    });

    test('does not speak of a fall where one of them holds', () => {
      const held = findingText(runOf(...all({}, { ...ROBUST, vgg16: 990 })));
      expect(held).toMatch(/, 4 networks keep between 0\.0 % .* and 99\.0 % \[.*?\] \(VGG-16\)\.$/);
    });
  });

  test('does not speak of a fall where there is none', () => {
    expect(findingText(runOf(cell({ robust: 990 })))).toContain('VGG-16 stays at 99.0 % [98.2–99.5].');
  });
});

describe('the radius of the headline', () => {
  test('is the customary one if it was measured, though computed with rounding', () => {
    const run = runOf(cell({ epsilon: 0.1 }), cell({ epsilon: 0.1 + 0.2 }), cell({ epsilon: 0.4 }));
    expect(headlineEpsilon(firstSlice(run))).toEqual({ epsilon: 0.1 + 0.2, why: 'the customary radius for MNIST' });
  });

  test('is else the one that networks were trained against, if it was measured', () => {
    const run = runOf(...[0, 0.01, 0.02, 0.05, 0.1].map((epsilon) => cell({ epsilon })));
    const [{ arch, training }] = firstSlice(run).contenders as [Contender];
    const at = (...records: TrainingRecord[]) => {
      const trainings = records.map((record) => ({ arch, training, record }));
      return headlineEpsilon(firstSlice({ ...run, trainings })).epsilon;
    };
    const against = (epsilon: number, changes: Partial<TrainingRecord> = {}) =>
      trainingRecordOf({ epsilon, ...changes });
    expect(at(against(0.05), against(0.1 / 2))).toBe(0.05);
    expect(at(against(0.05), against(0.3))).toBe(0.05);
    const none = { name: 'randomized-smoothing', params: {}, adversarial: false };
    expect(at(against(0.05, { defense: none }))).toBe(0.02);
    expect(at(against(0.05, { norm: 'L2' }))).toBe(0.02);
    expect(at(against(0.05), against(0.1))).toBe(0.02);
    const elsewhere = { arch, training: 'measured elsewhere', record: against(0.1) };
    const trainings = [{ arch, training, record: against(0.05) }, elsewhere];
    expect(headlineEpsilon(firstSlice({ ...run, trainings })).epsilon).toBe(0.05);
  });

  test('is else the middle of the grid, without 0', () => {
    const run = runOf(...[0, 0.01, 0.02, 0.05, 0.1].map((epsilon) => cell({ epsilon })));
    expect(headlineEpsilon(firstSlice(run))).toEqual({
      epsilon: 0.02,
      why: 'the smaller of the two in the middle of the 4 radii measured',
    });
  });

  test.each([
    [[0], 0, 'the only radius measured'],
    [[0, 0.1], 0.1, 'the only radius measured'],
    [[0.1, 0.2], 0.1, 'the smaller of the two radii measured'],
    [[0.1, 0.2, 0.25], 0.2, 'the middle of the 3 radii measured'],
  ])('says of the radii %j why it is %d', (epsilons, epsilon, why) => {
    const run = runOf(...epsilons.map((radius) => cell({ epsilon: radius })));
    expect(headlineEpsilon(firstSlice(run))).toEqual({ epsilon, why });
  });
});

describe('the worst case', () => {
  const cells = [cell({ attack: 'fgsm', robust: 100 }), cell({ robust: 90 })];
  const where = { arch: 'vgg16', training: 'standard' };

  test('is counted image by image where the run knows it', () => {
    const counted = {
      ...{ ...where, norm: 'Linf' as const, epsilon: 0.3, attacks: ['fgsm', 'pgd'], images: 1000, robustCorrect: 70 },
      ...{ robustCorrect8bit: 70, robustAccuracy: 0.07, robustAccuracy8bit: 0.07 },
      wilson95: [0.05, 0.09] satisfies [number, number],
    };
    const run = { ...runOf(...cells), worstCases: [counted] };
    expect(standingOf(run, firstSlice(run), where, 0.3)).toMatchObject({ worst: { share: 0.07 }, perImage: true });
  });

  test('is else the lowest cell, and says that this is only a bound', () => {
    const run = runOf(...cells);
    expect(standingOf(run, firstSlice(run), where, 0.3)).toMatchObject({ worst: { share: 0.09 }, perImage: false });
  });

  test('is undefined where nothing was measured', () => {
    const run = runOf(...cells);
    expect(standingOf(run, firstSlice(run), where, 0.2)).toBeUndefined();
  });
});

describe('slices', () => {
  test('part datasets, norms and goals, and keep every cell', () => {
    const run = runOf(
      cell({}),
      cell({ norm: 'L2' }),
      cell({ goal: { kind: 'targeted', target: 3 } }),
      cell({ arch: 'x' }),
    );
    const slices = slicesOf(run);
    expect(slices.map(({ cells }) => cells.length)).toEqual([2, 1, 1]);
  });

  test('tell settings of one attack apart where one box was measured twice', () => {
    const short = { ...cell({ robust: 50 }), params: { steps: 10, random: true } };
    const [slice] = slicesOf(runOf(short, cell({})));
    expect(slice?.variants.map(({ label }) => label)).toEqual(['pgd steps=10', 'pgd steps=40']);
  });

  test('do not part one attack whose settings follow the radius', () => {
    const cells = [0.1, 0.3].map((epsilon) => ({ ...cell({ epsilon }), params: { step: epsilon / 4 } }));
    const [slice] = slicesOf(runOf(...cells));
    expect(slice?.variants.map(({ label }) => label)).toEqual(['pgd']);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { type Attack, defineEnsemble, type Ensemble } from '../../src/core/attack.ts';
import type { Cell, Run } from '../../src/core/run.ts';
import type { Norm } from '../../src/core/threat-model.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { forgetfulJournal } from '../../src/evaluate/journal/journal.ts';
import type { JournalRecord } from '../../src/evaluate/journal/record.ts';
import type { PlannedStage } from '../../src/evaluate/plan.ts';
import { planAttack } from '../../src/evaluate/plan-attack.ts';
import { tf } from '../../src/tf.ts';
import { harness, plan, planned, together, walk } from './fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const EPSILONS = [0, 0.02, 0.05, 0.1];
const of = ({ cells }: Run, attack: string): Cell[] => cells.filter((cell) => cell.attack === attack);

describe('an ensemble', () => {
  // Too short a walk, and then a step to the edge.
  const stages = [planned(pgd, { steps: 3, step: 0.025 }), planned(fgsm)];

  it('leaves standing what withstands all of its stages, each of which meets the survivors alone', async () => {
    const given = { epsilons: EPSILONS, galleryRows: 3 };
    const run = await runExperiment(plan([...stages, together('both', stages)], given), harness());
    const [first, second, both] = [of(run, 'pgd'), of(run, 'fgsm'), of(run, 'both')];
    const apart = await runExperiment(plan(stages, given), harness());
    both.forEach((cell, radius) => {
      const worst = apart.worstCases?.[radius];
      expect(cell.robustCorrect).toBe(worst?.robustCorrect);
      const [one, two] = [first[radius], second[radius]];
      expect(cell.gradients).toBeGreaterThanOrEqual(one?.gradients ?? 0);
      expect(cell.gradients).toBeLessThanOrEqual((one?.gradients ?? 0) + (two?.gradients ?? 0));
    });
    const spent = (cells: readonly Cell[]): number => cells.reduce((sum, { gradients }) => sum + gradients, 0);
    expect(spent(both)).toBeLessThan(spent(first) + spent(second));
    // It would be empty if one of the two did it all.
    expect(both.some((cell, radius) => cell.robustCorrect < (first[radius]?.robustCorrect ?? 0))).toBe(true);
  });

  it('says in the run what it is made of, and shows the picture of the stage that fooled', async () => {
    const run = await runExperiment(
      plan([together('both', stages)], { epsilons: EPSILONS, galleryRows: 4, galleryEpsilon: 0.1 }),
      harness(),
    );
    expect(run.attacks[0]?.stages).toMatchObject([{ attack: 'pgd', params: { steps: 3 } }, { attack: 'fgsm' }]);
    expect(run.gallery.map(({ id }) => id)).toHaveLength(4);
    expect(new Set(run.gallery.map(({ id }) => id)).size).toBe(4);
    expect(run.gallery.some(({ fooled }) => fooled)).toBe(true);
  });

  it('may have a stage of minimum norm, which makes one search for the images that stand at some radius', async () => {
    const run = await runExperiment(
      plan([planned(walk), together('both', [planned(fgsm), planned(walk)])], { epsilons: EPSILONS }),
      harness(),
    );
    const [alone, both] = [of(run, 'walk'), of(run, 'both')];
    both.forEach(({ robustCorrect }, radius) => {
      expect(robustCorrect).toBeLessThanOrEqual(alone[radius]?.robustCorrect ?? 0);
    });
    expect(run.distances?.map(({ attack }) => attack)).toEqual(['walk']);
  });

  it('starts a stage at random as often as it says, for each of the run’s restarts', async () => {
    const short = planned(pgd, { steps: 3 });
    const gradientsOf = async (stage: PlannedStage, restarts: number): Promise<number[]> => {
      const run = await runExperiment(plan([together('many', [stage])], { epsilons: [0.02], restarts }), harness());
      expect(of(run, 'many').map((cell) => cell.restarts)).toEqual([restarts]);
      return of(run, 'many').map(({ gradients }) => gradients);
    };
    const twice = await gradientsOf({ ...short, restarts: 2 }, 1);
    expect(twice).toEqual(await gradientsOf(short, 2));
    expect(await gradientsOf({ ...short, restarts: 2 }, 2)).toEqual(await gradientsOf(short, 4));
    expect(twice).not.toEqual(await gradientsOf(short, 1));
    // Without noise every start is the same.
    expect(await gradientsOf({ ...planned(fgsm), restarts: 2 }, 1)).toEqual(await gradientsOf(planned(fgsm), 1));
  });

  it('is taken up from its journal as it was left, though two of its stages are the same attack', async () => {
    const [stills, walks] = [{ steps: 2, step: 0.001, random: false }, { steps: 10 }];
    const twice = plan([together('twice', [planned(pgd, stills), planned(pgd, walks)])], { epsilons: [0.05, 0.1] });
    const records: JournalRecord[] = [];
    const journal = forgetfulJournal('');
    const append = async (record: JournalRecord): Promise<void> => void records.push(record);
    const once = await runExperiment(twice, harness({ journal: { ...journal, append } }));
    const again = await runExperiment(twice, harness({ journal: { ...journal, records } }));
    const timeless = ({ cells }: Run) => cells.map(({ seconds: _, ...cell }) => cell);
    expect(timeless(again)).toEqual(timeless(once));
    // The second stage fools some that the first does not.
    expect(once.cells[0]?.robustCorrect).toBeLessThan(once.cells[0]?.cleanCorrect ?? 0);
  });

  it('is planned with its stages, which may depend on the norm, and their parameters', () => {
    const known = new Map<string, Attack | Ensemble>([
      ['fgsm', fgsm],
      ['pgd', pgd as unknown as Attack],
    ]);
    const { attack } = together('both', [planned(fgsm), planned(pgd, { steps: 3 })]);
    expect(planAttack(attack, {}, known, 'Linf').stages).toMatchObject([
      { attack: fgsm, params: {} },
      { attack: pgd, params: { steps: 3, random: true } },
    ]);
    const inNorm = defineEnsemble({
      ...attack,
      stages: (_: unknown, norm: Norm) => [{ attack: 'pgd', ...(norm === 'L1' ? { restarts: 3 } : {}) }],
    });
    expect(planAttack(inNorm, {}, known, 'L1').stages?.map(({ restarts }) => restarts)).toEqual([3]);
    expect(planAttack(inNorm, {}, known, 'L2').stages?.map(({ restarts }) => restarts)).toEqual([undefined]);
    expect(() => planAttack(attack, {}, new Map([['fgsm', fgsm]]), 'Linf')).toThrow(/stage of both.*pgd/);
    const nested = new Map([...known, ['pgd', attack] as const]);
    expect(() => planAttack(attack, {}, nested, 'Linf')).toThrow(/its stage pgd is made of other attacks itself/);
  });
});

describe('an attack of minimum norm', () => {
  it('has a distance for every image that counts, and the accuracy at every radius follows from it', async () => {
    const run = await runExperiment(plan([planned(walk)], { epsilons: EPSILONS }), harness());
    const [found] = run.distances ?? [];
    expect(found?.values).toHaveLength(20);
    for (const { epsilon, robustCorrect } of run.cells) {
      // Steps of a hundredth end within rounding of the radii.
      const beyond = found?.values.filter((distance) => distance === null || distance > epsilon + 1e-6);
      expect(robustCorrect).toBe(beyond?.length);
    }
    expect(found?.values.filter((distance) => distance === 0)).toHaveLength(2);
    const sorted = (found?.values ?? []).map((d) => d ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    expect(found?.median).toBeCloseTo(((sorted[9] ?? 0) + (sorted[10] ?? 0)) / 2, 9);
  });
});

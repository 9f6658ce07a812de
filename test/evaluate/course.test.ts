import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import pgd from '../../attacks/pgd.ts';
import { margin } from '../../src/core/losses.ts';
import type { Run } from '../../src/core/run.ts';
import { Course } from '../../src/evaluate/course.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import { forgetfulJournal } from '../../src/evaluate/journal/journal.ts';
import { packFloats, unpackFloats } from '../../src/evaluate/journal/pack.ts';
import type { JournalRecord } from '../../src/evaluate/journal/record.ts';
import type { ExperimentPlan, PlannedAttack, PlannedStage } from '../../src/evaluate/plan.ts';
import { markAt, marksOf } from '../../src/evaluate/pool/marks.ts';
import { sizeOf } from '../../src/evaluate/pool/size.ts';
import { marginOf } from '../../src/evaluate/pool/trace.ts';
import { tf } from '../../src/tf.ts';
import {
  contender,
  customAttack,
  harness,
  INPUT,
  plan,
  planned,
  smallClassifier,
  smallDataset,
  together,
  walk,
} from './fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const STEP = 0.01;
const steps = (count: number): PlannedStage => planned(pgd, { steps: count, step: STEP, random: false });
const run = (attacks: readonly PlannedAttack[], given: Partial<ExperimentPlan> = {}): Promise<Run> =>
  runExperiment(plan(attacks, given), harness());

/** What a run says of the course of its attacks. */
const courseOf = ({ traces, perturbations, confusions }: Run) => ({ traces, perturbations, confusions });

describe('marks', () => {
  it('ascend from 0 to the last step, every step where there are few, and never too many', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), (count) => {
        const marks = marksOf(count);
        expect([marks[0], marks.at(-1)]).toEqual([0, count]);
        expect(marks.every((mark, i) => i === 0 || mark > (marks[i - 1] ?? mark))).toBe(true);
        expect(marks.length).toBe(Math.min(marks.length, 101));
        if (count <= 100) expect(marks).toHaveLength(count + 1);
        else expect(marks.length).toBeGreaterThan(80);
      }),
    );
  });

  it('are found by the step that comes to them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), fc.nat(3000), (count, step) => {
        const marks = marksOf(count);
        const expected = marks.findIndex((mark) => mark >= step);
        expect(markAt(marks, step)).toBe(expected < 0 ? marks.length - 1 : expected);
      }),
    );
  });
});

describe('the margin of a judged image', () => {
  it('is that of the compiled step', () => {
    const logits = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(logits, fc.nat(3), fc.nat(3), (values, label, target) => {
        const z = Float32Array.from(values);
        const of = (own: number): number =>
          tf.tidy(() => margin(tf.tensor2d([...z], [1, 4]), tf.tensor1d([own], 'int32')).dataSync()[0] ?? Number.NaN);
        expect(marginOf({ kind: 'untargeted' }, label, z)).toBe(of(label) + 0);
        expect(marginOf({ kind: 'targeted', target }, label, z)).toBe(-of(target) + 0);
      }),
    );
  });

  it('goes through the journal bit for bit, NaN included', () => {
    const values = Float32Array.of(-1.5, Number.NaN, 1 / 3, 0);
    expect(unpackFloats(packFloats(values.subarray(1)))).toEqual(values.slice(1));
  });
});

describe('the size of a perturbation', () => {
  it('is its length, and the share of the values that it moves by the radius, up or down', () => {
    const clean = Float32Array.of(0.5, 0.5, 0.05, 1);
    const { l2, atBound } = sizeOf(Float32Array.of(0.6, 0.4, 0, 1), clean, 0.1);
    expect(atBound).toBe(0.5);
    expect(l2).toBeCloseTo(0.15, 6);
    expect(String(l2).length).toBeLessThan(9);
    expect(sizeOf(clean, clean, 0.1)).toEqual({ l2: 0, atBound: 0 });
  });
});

describe('the course of an attack', () => {
  it('has at every step as many fooled as an attack of so many steps fools', async () => {
    const [trace, ...others] = (await run([steps(8)], { epsilons: [0.06] })).traces ?? [];
    expect(others).toEqual([]);
    expect(trace?.steps).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const count of [1, 2, 4, 8]) {
      const { cells } = await run([steps(count)], { epsilons: [0.06] });
      const [{ cleanCorrect = 0, robustCorrect = 0 } = {}] = cells;
      expect([count, trace?.fooled[count]]).toEqual([count, cleanCorrect - robustCorrect]);
    }
    expect(trace?.fooled[0]).toBe(0);
    // The law would be empty if all fell at once.
    expect(new Set(trace?.fooled).size).toBeGreaterThan(2);
  });

  it('has the margins that every image had after each step, where it fell the last', async () => {
    const classifier = smallClassifier();
    const [trace] = (await run([steps(5)], { epsilons: [0.04] })).traces ?? [];
    const paths: number[][] = [];
    for await (const { image, label } of smallDataset(20).stream({ seed: 3 })) {
      const at = (x: tf.Tensor4D): number =>
        margin(classifier.logits(x), tf.tensor1d([label], 'int32')).dataSync()[0] ?? Number.NaN;
      tf.tidy(() => {
        const clean = tf.tensor4d(image.slice(), [1, ...INPUT]);
        const uphill = tf.grad((x) => {
          const logits = classifier.logits(x as tf.Tensor4D);
          return logits
            .logSoftmax()
            .mul(tf.oneHot([label], 4))
            .sum()
            .neg();
        });
        let x = clean;
        const path = [at(x)];
        for (let i = 0; i < 5 && (path.at(-1) ?? 0) <= 0; i++) {
          const moved = x.add(uphill(x).sign().mul(STEP));
          x = tf.clipByValue(tf.minimum(tf.maximum(moved, clean.sub(0.04)), clean.add(0.04)), 0, 1) as tf.Tensor4D;
          path.push(at(x));
        }
        if ((path[0] ?? 0) <= 0) paths.push(path);
      });
    }
    expect(trace?.loss?.images).toBe(paths.length);
    const column = (i: number): number[] =>
      paths.map((path) => path[Math.min(i, path.length - 1)] ?? Number.NaN).sort((a, b) => a - b);
    for (const [name, share] of [
      ['low', 0.1],
      ['median', 0.5],
      ['high', 0.9],
    ] as const) {
      const expected = Array.from({ length: 6 }, (_, i) => column(i)[Math.ceil(share * paths.length) - 1] ?? 0);
      trace?.loss?.[name].forEach((loss, i) => {
        expect(loss).toBeCloseTo(expected[i] ?? 0, 3);
      });
    }
  });

  it('is the same whatever the batch, and ends where the cells say', async () => {
    const attacks = [
      planned(fgsm),
      planned(pgd, { steps: 4 }),
      planned(walk),
      together('both', [steps(2), planned(pgd, { steps: 3 }), planned(walk)]),
    ];
    const given = { epsilons: [0, 0.05, 0.1], restarts: 2, galleryEpsilon: 0.1 };
    const reference = await run(attacks, { ...given, batch: 1 });
    expect(courseOf(await run(attacks, { ...given, batch: 7 }))).toEqual(courseOf(reference));
    const { cells, traces = [], confusions = [], perturbations = [] } = reference;
    const fooledAt = (attack: string, epsilon: number): number => {
      const cell = cells.find((one) => one.attack === attack && one.epsilon === epsilon);
      return (cell?.cleanCorrect ?? 0) - (cell?.robustCorrect ?? 0);
    };
    expect(traces.map(({ attack }) => attack)).toEqual(['pgd', 'both']);
    expect(traces.map(({ steps: of }) => of.at(-1))).toEqual([8, 2 + 6 + 20]);
    for (const { attack, epsilon, fooled } of traces) expect(fooled.at(-1)).toBe(fooledAt(attack, epsilon));
    expect(confusions.map(({ attack }) => attack)).toEqual(['fgsm', 'pgd', 'walk', 'both']);
    for (const { attack, fooled, flips, attacked = [], images } of confusions) {
      expect(fooled).toBe(fooledAt(attack, 0.1));
      expect(flips.reduce((sum, flip) => sum + flip.images, 0)).toBe(fooled);
      expect(attacked.reduce((sum, of) => sum + of, 0)).toBe(images);
      expect(flips.every(({ from, to, of }) => from !== to && of === attacked[from])).toBe(true);
    }
    expect(Math.min(...confusions.map(({ fooled }) => fooled))).toBeGreaterThan(0);
    expect(perturbations.map(({ attack }) => attack)).toEqual(['fgsm', 'pgd', 'both']);
    // FGSM moves every value by ε that no wall stops.
    expect(perturbations[0]?.atBound?.[10]).toBeGreaterThan(0.8);
    for (const { l2, epsilon } of perturbations) expect(l2.at(-1)).toBeLessThanOrEqual(epsilon * Math.sqrt(20) + 1e-6);
  });

  it('goes on with the steps of restarts, which meet those alone that still stand', async () => {
    const faint = [planned(pgd, { steps: 3, step: 0.005 })];
    const once = await run(faint, { epsilons: [0.2] });
    const [trace] = (await run(faint, { epsilons: [0.2], restarts: 4 })).traces ?? [];
    const [{ cleanCorrect = 0, robustCorrect = 0 } = {}] = once.cells;
    expect(trace?.fooled[3]).toBe(cleanCorrect - robustCorrect);
    expect(trace?.fooled.at(-1)).toBeGreaterThan(trace?.fooled[3] ?? 0);
    expect(trace?.steps.at(-1)).toBe(12);
  });

  it('is told of at the largest radius that half of the images came to', async () => {
    const [all] = (await run([steps(8)], { epsilons: [0.04, 0.1], galleryEpsilon: 0.1 })).traces ?? [];
    expect(all).toMatchObject({ epsilon: 0.1, images: 18 });
    expect(all?.before).toBeGreaterThan(0);
    const [early] =
      (await run([planned(pgd, { steps: 20 })], { epsilons: [0.2, 0.3], galleryEpsilon: 0.3 })).traces ?? [];
    expect(early).toMatchObject({ epsilon: 0.2, before: 0 });
  });

  it('counts an image from the step that first fools it where attacks go on to their last', async () => {
    const given = { epsilons: [0.06] };
    const stopping = await run([steps(8)], given);
    const going = await run([steps(8)], { ...given, earlyStop: false });
    expect(going.traces?.[0]?.fooled).toEqual(stopping.traces?.[0]?.fooled);
    // Whose loss goes on to rise.
    expect(going.traces?.[0]?.loss?.high.at(-1)).toBeGreaterThan(stopping.traces?.[0]?.loss?.high.at(-1) ?? 0);
  });

  it('is not told where a journal of another version does not tell it', async () => {
    const records: JournalRecord[] = [];
    const journal = forgetfulJournal('');
    const append = async (record: JournalRecord): Promise<void> =>
      void records.push(record.kind === 'outcomes' ? { ...record, ends: undefined, traces: undefined } : record);
    const given = plan([steps(4)], { epsilons: [0.05, 0.1] });
    const once = await runExperiment(given, harness({ journal: { ...journal, append } }));
    const again = await runExperiment(given, harness({ journal: { ...journal, records } }));
    expect(again.cells).toEqual(once.cells);
    expect(courseOf(again)).toEqual({});
    expect(courseOf(once).traces).toHaveLength(1);
  });

  it('is not told where a journal does not tell what those that fell at a smaller radius are taken for', async () => {
    // It fools at the small radius alone, so that the large one has nothing of its own to tell.
    const near = planned(
      customAttack({
        step: ({ x }, { ball, epsilon, gradient }) => {
          const isSmall = tf.scalar(0.2).sub(epsilon).relu().sign();
          return { x: ball.project(x.add(gradient(x).sign().mul(isSmall))) };
        },
      }),
    );
    const given = plan([near], { epsilons: [0.15, 0.3], galleryEpsilon: 0.3 });
    const records: JournalRecord[] = [];
    const append = async (record: JournalRecord): Promise<void> => void records.push(record);
    const once = await runExperiment(given, harness({ journal: { ...forgetfulJournal(''), append } }));
    expect(once.confusions?.[0]?.fooled).toBeGreaterThan(0);
    const older = records.map((record) =>
      record.kind === 'outcomes'
        ? { ...record, rows: record.rows.filter(([, radius]) => radius === 0), ends: undefined, traces: undefined }
        : record,
    );
    const again = await runExperiment(given, harness({ journal: { ...forgetfulJournal(''), records: older } }));
    expect(again.cells.map(({ robustCorrect }) => robustCorrect)).toEqual(
      once.cells.map(({ robustCorrect }) => robustCorrect),
    );
    expect(courseOf(again)).toEqual({});
  });

  it('holds no size and no loss of what is no image or no number', async () => {
    const broken = planned(customAttack({ step: ({ x }) => ({ x: x.add(Number.POSITIVE_INFINITY) as tf.Tensor4D }) }));
    const { traces, perturbations } = await run([broken], { epsilons: [0.1] });
    expect(perturbations).toBeUndefined();
    const { median = [] } = traces?.[0]?.loss ?? {};
    // The start is an image, and nothing after it.
    expect(new Set(median).size).toBe(1);
    expect(median[0]).toBeLessThan(0);
  });

  it('of few classes says how many images there are of each, of many the most frequent flips', async () => {
    const many = smallClassifier(1, INPUT, 40);
    const given = { epsilons: [0.3], contenders: [contender(many)], images: 60, dataset: smallDataset(60, many, 40) };
    const [{ fooled = 0, flips = [], attacked } = {}] = (await run([steps(8)], given)).confusions ?? [];
    expect(attacked).toBeUndefined();
    expect(fooled).toBeGreaterThan(20);
    expect(flips).toHaveLength(20);
    expect(flips.map(({ images }) => images)).toEqual(flips.map(({ images }) => images).toSorted((a, b) => b - a));
  });

  it('names the target where there is one', async () => {
    const { confusions = [], classes } = await run([steps(30)], {
      ...{ epsilons: [0.3], goal: { kind: 'targeted', target: 2 } },
    });
    expect(classes[2]).toBe('cat');
    expect(confusions[0]?.fooled).toBeGreaterThan(0);
    expect(new Set(confusions[0]?.flips.map(({ to }) => to))).toEqual(new Set([2]));
    expect(confusions[0]?.attacked?.[2]).toBe(0);
  });
});

describe('the course of stages', () => {
  it('sets their steps one after another, and keeps to the marks', () => {
    const course = (count: number, fell: number | null | 'before'): Course => {
      const one = new Course(1, 1, count);
      one.add([0, 0, fell, 3, 0.5, 0.25]);
      one.addTrace(
        0,
        0,
        Float32Array.from(one.marks, (mark) => mark),
      );
      return one;
    };
    const both = Course.together([course(3, null), course(200, 5)]);
    expect([both.steps, both.fell(0, 0), both.predicted(0, 0)]).toEqual([203, 8, 3]);
    expect(both.marks[0]).toBe(0);
    expect(both.marks.at(-1)).toBe(203);
    expect(both.marks.length).toBeLessThanOrEqual(101);
    expect(both.margins(0, 0)?.at(-1)).toBe(200);
    expect(Course.together([course(3, null), course(2, 'before')]).fell(0, 0)).toBe('before');
    expect(new Course(1, 1, 1).knows([0], 0)).toBe(false);
    const foreign = new Course(1, 1, 3);
    foreign.addTrace(0, 0, Float32Array.of(1, 2));
    expect(foreign.margins(0, 0)).toBeUndefined();
  });
});

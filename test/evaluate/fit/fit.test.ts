import { beforeAll, describe, expect, it } from 'vitest';
import { type Attack, defineAttack, type Fit } from '../../../src/core/attack.ts';
import type { Dataset } from '../../../src/core/dataset.ts';
import { UserError } from '../../../src/core/errors.ts';
import type { Run } from '../../../src/core/run.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { runFit } from '../../../src/evaluate/fit/fit.ts';
import type { SelectedImage } from '../../../src/evaluate/images.ts';
import type { JournalRecord } from '../../../src/evaluate/journal/record.ts';
import type { ExperimentPlan, ProgressEvent } from '../../../src/evaluate/plan.ts';
import { rehearse } from '../../../src/evaluate/rehearse/rehearse.ts';
import { tf } from '../../../src/tf.ts';
import {
  CLASSES,
  contender,
  customAttack,
  harness,
  INPUT,
  plan,
  planned,
  relativeOf,
  smallClassifier,
  smallDataset,
  together,
} from '../fixtures.ts';
import { remembering, untilItEnds } from '../interrupted.ts';

beforeAll(() => tf.setBackend('cpu'));

type Push = { readonly push: tf.Tensor4D };

const PASSES = 2;

const learning: Fit<Record<never, never>, Push> = {
  images: () => 10,
  batch: () => 4,
  passes: () => PASSES,
  steps: () => 1,
  init: ({ clean }) => ({ push: tf.zerosLike<tf.Tensor4D>(clean.slice([0], [1])) }),
  step: ({ push }, { gradient, clean, epsilon, noise }) => ({
    push: push.add(
      gradient(clean.add(push.sign().mul(epsilon)))
        .sum(0, true)
        .add(noise(clean.shape.slice(1), 'normal').sum(0, true).mul(1e-3)),
    ),
  }),
};

const fitted = (given: Partial<typeof learning> = {}): Attack =>
  defineAttack({
    ...{ name: 'one-for-all', title: 'One for all', paper: 'https://example.org', norms: ['Linf', 'L2'] as const },
    access: 'gradient',
    params: {},
    fit: { ...learning, ...given },
    steps: () => 0,
    init: (x, { ball, epsilon, fitted: { push } }) => ({ x: ball.project(x.add(ball.steepest(push).mul(epsilon))) }),
    step: (state) => state,
  }) as Attack;

/** Other images of the same kind. */
const train: Dataset = {
  ...smallDataset(40),
  split: 'train',
  hash: async () => 'beef',
  stream: async function* (options = {}) {
    for await (const example of smallDataset(40).stream(options))
      yield { ...example, id: example.id.replace('test', 'train') };
  },
};

const EPSILONS = [0, 0.1, 0.2, 0.3];
const planOf = (given: Partial<ExperimentPlan> = {}): ExperimentPlan =>
  plan([planned(fitted())], { fitDataset: train, epsilons: EPSILONS, ...given });
const run = (given: Partial<ExperimentPlan> = {}, rest: Parameters<typeof harness>[0] = {}): Promise<Run> =>
  runExperiment(planOf(given), harness(rest));

const timeless = ({ cells }: Run) => cells.map(({ seconds: _, ...cell }) => cell);

const fitsOf = (records: readonly JournalRecord[]) =>
  records.flatMap((record) => (record.kind === 'fitted' ? [record] : []));

describe('an attack that is fitted first', () => {
  it('measures at each radius what the one thing that it has learnt there does, whatever smaller radii did', async () => {
    const records: JournalRecord[] = [];
    const { cells } = await run({}, { journal: remembering(records) });
    const fits = fitsOf(records);
    expect(fits.map(({ epsilon }) => epsilon)).toEqual(EPSILONS);
    const classifier = smallClassifier();
    for (const [place, cell] of cells.entries()) {
      const data = Buffer.from(fits[place]?.tensors.push?.data ?? '', 'base64');
      const push = new Float32Array(Uint8Array.from(data).buffer);
      let robust = 0;
      for await (const { image, label } of smallDataset(20).stream()) {
        const classOf = (x: Float32Array): number | undefined =>
          tf.tidy(
            () =>
              classifier
                .logits(tf.tensor4d(x, [1, ...INPUT]))
                .argMax(1)
                .dataSync()[0],
          );
        const moved = image.map((v, i) => Math.min(1, Math.max(0, v + cell.epsilon * Math.sign(push[i] as number))));
        if (classOf(image.slice()) === label && classOf(moved) === label) robust += 1;
      }
      expect(cell.robustCorrect).toBe(robust);
    }
    expect(cells.at(-1)?.robustCorrect).toBeLessThan(cells[0]?.robustCorrect ?? 0);
  });

  it('comes to the same whatever the batch of the run, and to something else with another seed', async () => {
    const reference = timeless(await run({ galleryRows: 2 }));
    for (const batch of [1, 3, 64]) expect(timeless(await run({ galleryRows: 2, batch }))).toEqual(reference);
    const [records, others]: JournalRecord[][] = [[], []];
    await run({}, { journal: remembering(records ?? []) });
    await run({ seed: 4 }, { journal: remembering(others ?? []) });
    const learnt = (of: readonly JournalRecord[] = []) => fitsOf(of).map(({ tensors }) => tensors);
    expect(learnt(others)).not.toEqual(learnt(records));
  });

  it('counts the gradients of its fit at their radius: none at radius 0', async () => {
    const { cells } = await run();
    // Of 10 images those that the network knows, in batches of 4: three a pass.
    expect(cells.map(({ gradients }) => gradients)).toEqual([0, ...EPSILONS.slice(1).map(() => PASSES * 3 * 4)]);
  });

  it('says what it is fitted on: the training split, or the images that are measured', async () => {
    expect((await run()).provenance.fitRule).toBe(
      'one-for-all: once for each network and radius, on those of the first 10 of 40 images in the order of seed 3 of toy ' +
        'train that the network classifies correctly (SHA-256 beef)',
    );
    const own = await runExperiment(plan([planned(fitted())], { images: 6 }), harness());
    expect(own.provenance.fitRule).toMatch(/the first 6 of 20 images in the order of seed 3 of the run's own images/);
    const plain = await runExperiment(plan([planned(customAttack({}))]), harness());
    expect(plain.provenance).not.toHaveProperty('fitRule');
  });

  it('tells how far its fit is', async () => {
    const events: ProgressEvent[] = [];
    await run({}, { onProgress: (event) => events.push(event) });
    const fits = events.filter(({ phase }) => phase === 'fit');
    expect(fits[0]).toMatchObject({ contender: 'small-1/standard', attack: 'one-for-all', done: expect.any(Number) });
    const done = fits.map((event) => event.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(fits.at(-1)?.done).toBe(fits.at(-1)?.total);
  });

  it('ends in the same run, transfer included, however often it is interrupted, and fits nothing twice', async () => {
    const one = smallClassifier(1);
    const twins = [contender(one), contender(relativeOf(one))];
    const made = { contenders: twins, transferEpsilon: 0.25 };
    const whole = await run(made);
    const records: JournalRecord[] = [];
    const again = (attempt: number) => planOf({ ...made, batch: 2 + (attempt % 3) });
    const { run: last, attempts } = await untilItEnds(again, { records, limit: 1, most: 100 });
    expect(attempts).toBeGreaterThan(10);
    expect(last === undefined ? undefined : timeless(last)).toEqual(timeless(whole));
    expect(last?.transfer).toEqual(whole.transfer);
    expect(whole.transfer?.some(({ fooled }) => fooled > 0)).toBe(true);
    expect(fitsOf(records)).toHaveLength(2 * (EPSILONS.length + 1));
  });

  it('fits anew what a journal holds in another shape', async () => {
    const records: JournalRecord[] = [];
    const whole = await run({}, { journal: remembering(records) });
    const damaged = fitsOf(records).map((record): JournalRecord => ({ ...record, tensors: {} }));
    expect(timeless(await run({}, { journal: remembering(damaged) }))).toEqual(timeless(whole));
  });

  it('is no probe of the sanity panel', async () => {
    const probe = {
      name: 'one for all',
      why: 'why',
      link: 'https://example.org',
      on: 'any',
      planned: planned(fitted()),
    } as const;
    await expect(run({ sanity: { images: 3, probes: [probe] } })).rejects.toThrow(
      'the probe "one for all": one-for-all is fitted first; take another attack',
    );
  });

  it('can be a stage of an ensemble', async () => {
    const records: JournalRecord[] = [];
    const ensemble = together('both', [planned(fitted()), planned(customAttack({}))]);
    const made = plan([ensemble], { fitDataset: train, epsilons: EPSILONS });
    const { cells } = await runExperiment(made, harness({ journal: remembering(records) }));
    const alone = await run();
    expect(cells.map(({ robustCorrect }) => robustCorrect)).toEqual(
      alone.cells.map(({ robustCorrect }) => robustCorrect),
    );
    expect(fitsOf(records)[0]).toMatchObject({ attack: 'both', stage: 'one-for-all' });
  });

  it('is told in one line that the network knows none of its images', async () => {
    const strange = {
      ...train,
      stream: async function* () {
        for await (const one of train.stream()) yield { ...one, label: (one.label + 1) % CLASSES };
      },
    };
    const made = plan([planned(fitted({ images: () => 3 }))], { fitDataset: strange });
    await expect(runExperiment(made, harness())).rejects.toThrow(
      new UserError(
        'small-1/standard classifies none of the images correctly that one-for-all is to be fitted on (3 at most); let it have more',
      ),
    );
  });

  it('is aimed at the target, and learns from no image of that class', async () => {
    const seen: number[] = [];
    const watching = fitted({
      step: ({ push }, context) => {
        seen.push(...context.label.dataSync());
        expect([...context.target.dataSync()].every((target) => target === 2 || target === 1)).toBe(true);
        return learning.step({ push }, context);
      },
    });
    const goal = { kind: 'targeted', target: 2 } as const;
    await runExperiment(plan([planned(watching)], { fitDataset: train, goal, epsilons: [0.3] }), harness());
    expect(seen.length).toBeGreaterThan(4);
    expect(seen).not.toContain(2);
  });
});

describe('a fit', () => {
  const images = [0, 1, 2, 3, 4].map(
    (index): SelectedImage => ({
      ...{ index, id: String(index), hash: index, label: 0, pixels: new Float32Array(1).fill(index) },
    }),
  );
  const sizes = { images: 5, batch: 2, passes: 3, steps: 4, enough: undefined as number | undefined };
  const spent = { noise: [], gradients: 1, forwards: 2 };

  /** Writes down every batch that it is given, as `01@0`: images, and step. */
  const watch = async (given: Partial<typeof sizes> = {}, isFinishedAt = Number.POSITIVE_INFINITY, fooled = 0) => {
    const seen: string[] = [];
    const rehearsal = { ...sizes, ...given, fitted: {}, init: spent, step: spent };
    const result = await runFit({
      ...{ rehearsal, goal: { kind: 'untargeted' }, seed: 0, epsilon: 1 },
      engine: {
        init: async () => ({}),
        step: async (_, { clean, iteration }) => {
          seen.push(`${clean.join('')}@${iteration[0]}`);
          return { isFinished: new Uint8Array([iteration[0] === isFinishedAt ? 1 : 0]) };
        },
        release: async () => undefined,
      },
      images: {
        size: images.length,
        stream: async function* () {
          yield* images;
        },
      },
      tryOut: async () => ({ fooled, gradients: 100, forwards: 1000 }),
    });
    return { seen, result };
  };

  it('gives every batch all its steps, and fills the last one up with the first images', async () => {
    const { seen, result } = await watch({ passes: 1 });
    expect(seen).toEqual(['01', '23', '40'].flatMap((batch) => [0, 1, 2, 3].map((step) => `${batch}@${step}`)));
    // 13 calls, the first of `init`, on two images each.
    expect(result).toMatchObject({ gradients: 26, forwards: 52 });
    expect((await watch({ passes: 1, batch: 7, steps: 1 })).seen).toEqual(['0123401@0']);
  });

  it('goes on to the next batch when it is finished with one', async () => {
    const { seen } = await watch({ passes: 2 }, 1);
    const pass = ['01@0', '01@1', '23@0', '23@1', '40@0', '40@1'];
    expect(seen).toEqual([...pass, ...pass]);
  });

  it('ends after the pass that fools enough, and counts what it took to know', async () => {
    const calls = async (enough: number | undefined, fooled: number): Promise<[number, number]> => {
      const { seen, result } = await watch({ steps: 1, enough }, undefined, fooled);
      return [seen.length, result.gradients];
    };
    expect(await calls(undefined, 1)).toEqual([9, 20]);
    expect(await calls(0.8, 0.79)).toEqual([9, 220]);
    expect(await calls(0.8, 0.8)).toEqual([3, 108]);
  });
});

describe('a rehearsal of a fit', () => {
  const of = (given: Partial<typeof learning>, rest: Partial<Attack> = {}) =>
    rehearse({
      ...{ attack: { ...fitted(given), ...rest }, params: {}, norm: 'L2', targeted: false },
      classifier: { input: INPUT, classes: CLASSES },
    });

  it('finds its sizes, what is fitted, and what that asks for', async () => {
    const draw = { shape: [...INPUT], distribution: 'normal' };
    expect((await of({})).fit).toEqual({
      ...{ images: 10, batch: 4, passes: PASSES, steps: 1, enough: undefined },
      fitted: { push: { shape: [...INPUT], dtype: 'float32' } },
      init: { noise: [], gradients: 0, forwards: 0 },
      step: { noise: [draw], gradients: 1, forwards: 0 },
    });
  });

  it.each<[string, Partial<typeof learning>, Partial<Attack>, RegExp]>([
    ['no images', { images: () => 0 }, {}, /fit\.images\(params\) gives 0; it must be a whole number, at least 1/],
    ['half a pass', { passes: () => 0.5 }, {}, /fit\.passes\(params\) gives 0\.5/],
    ['more than all', { enough: () => 1.1 }, {}, /fit\.enough\(params\) gives 1\.1; it must be a share, 0 to 1/],
    ['more than it may see', {}, { access: 'score' }, /attack one-for-all: fit\.step fails: it asks for a gradient/],
    ['a radius that it has not', {}, { minimumNorm: true }, /of minimum norm and has no radius/],
    [
      'another shape after a step',
      { step: ({ push }) => ({ push: push.tile([1, 2, 1, 1]) as tf.Tensor4D }) },
      {},
      /fit\.init returns float32 \[4, 5, 1\] for push and fit\.step returns float32 \[8, 5, 1\]/,
    ],
    [
      'one row per image',
      { init: ({ clean }) => ({ push: clean }) },
      {},
      /fit\.init returns a record whose push has the shape \[2, 4, 5, 1\]; it is one for all images/,
    ],
    ['nothing', { init: () => ({}) as Push }, {}, /fit\.init returns a record without any tensor/],
  ])('refuses %s', async (_, given, rest, complaint) => {
    const refused = of(given, rest);
    await expect(refused).rejects.toBeInstanceOf(UserError);
    await expect(refused).rejects.toThrow(complaint);
  });
});

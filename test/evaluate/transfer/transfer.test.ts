import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../../attacks/fgsm.ts';
import noise from '../../../attacks/noise.ts';
import pgd from '../../../attacks/pgd.ts';
import { defineAttack } from '../../../src/core/attack.ts';
import { ball } from '../../../src/core/ball.ts';
import type { Classifier } from '../../../src/core/classifier.ts';
import { crossEntropy } from '../../../src/core/losses.ts';
import type { Run } from '../../../src/core/run.ts';
import { wilson95 } from '../../../src/core/statistics.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import type { JournalRecord } from '../../../src/evaluate/journal/record.ts';
import type { ExperimentPlan, PlannedAttack } from '../../../src/evaluate/plan.ts';
import { tf } from '../../../src/tf.ts';
import {
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
  walk,
} from '../fixtures.ts';
import { untilItEnds } from '../interrupted.ts';

beforeAll(() => tf.setBackend('cpu'));

const EPSILON = 0.07;
const one = smallClassifier(1);

const relative = relativeOf(one);
const pair = [contender(one), contender(relative)];

const transferPlan = (attacks: readonly PlannedAttack[], given: Partial<ExperimentPlan> = {}): ExperimentPlan =>
  plan(attacks, { contenders: pair, epsilons: [0.05], transferEpsilon: EPSILON, restarts: 2, ...given });

const entry = ({ transfer = [] }: Run, attack: string, from: string, to: string) =>
  transfer.find(({ source, target, ...rest }) => rest.attack === attack && source.arch === from && target.arch === to);

interface Example {
  readonly image: Float32Array;
  readonly label: number;
}

const examples = async (): Promise<Example[]> => {
  const all: Example[] = [];
  for await (const example of smallDataset(20).stream({})) all.push(example);
  return all;
};

const classOf = (classifier: Classifier, x: tf.Tensor4D): number =>
  classifier.logits(x).argMax(1).dataSync()[0] as number;

const tensor = (image: Float32Array): tf.Tensor4D => tf.tensor4d(image.slice(), [1, ...INPUT]);

/** What comes of a candidate for every image that both know, one after another and without the harness. */
async function byHand(
  target: Classifier,
  source: Classifier,
  candidate: (x: tf.Tensor4D, label: number) => tf.Tensor4D,
) {
  const outcomes = (await examples()).flatMap(({ image, label }) =>
    tf.tidy(() => {
      const x = tensor(image);
      if (classOf(source, x) !== label || classOf(target, x) !== label) return [];
      return [classOf(target, candidate(x, label)) !== label];
    }),
  );
  return { images: outcomes.length, fooled: outcomes.filter(Boolean).length };
}

/** Plain signed gradient steps inside the ball. */
const descend =
  (source: Classifier, steps: number, size: number) =>
  (clean: tf.Tensor4D, label: number): tf.Tensor4D => {
    const epsilon = tf.fill([1, 1, 1, 1], EPSILON) as tf.Tensor4D;
    const room = ball('Linf', { clean, epsilon, noise: () => tf.zeros([1]) });
    const loss = (x: tf.Tensor): tf.Tensor =>
      crossEntropy(source.logits(x as tf.Tensor4D), tf.tensor1d([label], 'int32')).sum();
    let x = clean;
    for (let i = 0; i < steps; i++) x = room.project(x.add(tf.grad(loss)(x).sign().mul(size)) as tf.Tensor4D);
    return x;
  };

const steady = planned(pgd, { steps: 6, step: 0.02, random: false });
const timeless = ({ cells, ...run }: Run) => [cells.map(({ seconds: _, ...cell }) => cell), run.transfer, run.checks];

describe('a transfer', () => {
  it('counts what a loop of one image at a time counts, on the images that both know', async () => {
    const run = await runExperiment(transferPlan([steady, planned(fgsm)]), harness());
    expect(run.transfer).toHaveLength(8);
    for (const [attack, steps, size] of [
      ['pgd', 6, 0.02],
      ['fgsm', 1, EPSILON],
    ] as const) {
      for (const source of [one, relative]) {
        for (const target of [one, relative]) {
          const expected = await byHand(target, source, descend(source, steps, size));
          const white = await byHand(target, source, descend(target, steps, size));
          const found = entry(run, attack, source.name, target.name);
          expect(found).toMatchObject({ ...expected, epsilon: EPSILON, norm: 'Linf', whiteBoxFooled: white.fooled });
          const { images, fooled } = expected;
          expect(found?.accuracy).toBe((images - fooled) / images);
          expect(found?.wilson95).toEqual(wilson95(images - fooled, images));
        }
      }
    }
    // The law would be empty if all images were known to both, or if none, or all, carried over.
    const across = entry(run, 'pgd', 'small-1', 'relative');
    expect(across?.images).toBeLessThan(18);
    expect(across?.fooled).toBeGreaterThan(0);
    expect(across?.fooled).toBeLessThan(across?.images ?? 0);
    expect(run.provenance.transferRule).toMatch(/both classify correctly without attack/);
  });

  it('tries where an attack ended after all its steps, not where it first fooled its network', async () => {
    // Further in one direction at every step: only at the end is the edge of the ball reached.
    const push = customAttack({
      steps: () => 4,
      step: ({ x }, { ball: room, epsilon }) => ({ x: room.project(x.add(epsilon.div(4)) as tf.Tensor4D) }),
    });
    const threshold = (grey: number, name: string): Classifier => ({
      ...smallClassifier(),
      name,
      logits: (x) => {
        const bright = x.mean([1, 2, 3]).sub(grey);
        return tf.stack([bright.neg(), bright, ...[-9, -9].map((far) => tf.fill([x.shape[0]], far))], 1) as tf.Tensor2D;
      },
    });
    const dataset = {
      ...smallDataset(1),
      stream: async function* () {
        yield { image: new Float32Array(20).fill(0.5), label: 0, id: 'grey' };
      },
    };
    const contenders = [contender(threshold(0.51, 'near')), contender(threshold(0.59, 'far'))];
    const run = await runExperiment(
      transferPlan([planned(push)], { contenders, dataset, images: 1, transferEpsilon: 0.1 }),
      harness(),
    );
    expect(entry(run, 'custom', 'near', 'far')).toMatchObject({ images: 1, fooled: 1, whiteBoxFooled: 1 });
  });

  it('leaves the cells as they are without it', async () => {
    const attacks = [planned(pgd, { steps: 4 }), planned(noise)];
    const run = await runExperiment(transferPlan(attacks), harness());
    const { transferEpsilon: _, ...without } = transferPlan(attacks);
    const plain = await runExperiment(without, harness());
    expect(timeless(run)[0]).toEqual(timeless(plain)[0]);
    expect(plain).not.toHaveProperty('transfer');
    expect(plain.provenance).not.toHaveProperty('transferRule');
  });

  it('is the same whatever the batch size', async () => {
    const attacks = [planned(pgd, { steps: 4 }), together('both', [planned(fgsm), planned(pgd, { steps: 3 })])];
    const small = await runExperiment(transferPlan(attacks, { batch: 1 }), harness());
    expect((await runExperiment(transferPlan(attacks, { batch: 64 }), harness())).transfer).toEqual(small.transfer);
  });

  it('of an ensemble tries what its first successful stage made, or what its last one did', async () => {
    const still = customAttack({ name: 'still' });
    const attacks = [steady, together('both', [planned(still), steady])];
    const run = await runExperiment(transferPlan(attacks), harness());
    const of = (name: string) => run.transfer?.filter(({ attack }) => attack === name).map(({ attack: _, ...e }) => e);
    expect(of('both')).toEqual(of('pgd'));
  });

  it('never tries an image from beyond the radius, as attacks of minimum norm find them', async () => {
    const run = await runExperiment(transferPlan([planned(walk)], { transferEpsilon: 0 }), harness());
    expect(run.transfer?.map(({ fooled }) => fooled)).toEqual([0, 0, 0, 0]);
    const far = await runExperiment(transferPlan([planned(walk)], { transferEpsilon: 0.2 }), harness());
    expect(entry(far, 'walk', 'small-1', 'small-1')?.fooled).toBeGreaterThan(0);
  });

  it('tries nothing of what aims at no network', async () => {
    const run = await runExperiment(transferPlan([planned(fgsm), planned(noise)]), harness());
    expect(new Set(run.transfer?.map(({ attack }) => attack))).toEqual(new Set(['fgsm']));
  });

  it('towards a target counts what the target network takes for it, but for images of that class', async () => {
    const target = (await examples())[0]?.label ?? 0;
    const goal = { kind: 'targeted', target } as const;
    const run = await runExperiment(transferPlan([steady], { goal, transferEpsilon: 0.3 }), harness());
    const across = entry(run, 'pgd', 'small-1', 'relative');
    const both = (await examples()).filter(
      ({ image, label }) =>
        label !== target && tf.tidy(() => pair.every(({ classifier }) => classOf(classifier, tensor(image)) === label)),
    );
    expect(across?.images).toBe(both.length);
    expect(across?.fooled).toBeGreaterThan(0);
  });

  it('where labels are not known takes the images on which two networks agree', async () => {
    const dataset = { ...smallDataset(20), labels: 'predicted' as const };
    const run = await runExperiment(transferPlan([planned(fgsm)], { dataset }), harness());
    const agree = (await examples()).filter(({ image }) =>
      tf.tidy(() => classOf(one, tensor(image)) === classOf(relative, tensor(image))),
    );
    expect(agree.length).toBeLessThan(20);
    expect(entry(run, 'fgsm', 'small-1', 'relative')?.images).toBe(agree.length);
    expect(entry(run, 'fgsm', 'small-1', 'small-1')?.images).toBe(20);
  });

  it('leaves out pairs that have no image in common', async () => {
    const contrary: Classifier = { ...one, name: 'contrary', logits: (x) => one.logits(x).neg() as tf.Tensor2D };
    const contenders = [contender(one), contender(contrary)];
    const run = await runExperiment(transferPlan([planned(fgsm)], { contenders }), harness());
    expect(entry(run, 'fgsm', 'small-1', 'contrary')).toBeUndefined();
  });

  it('does not count logits that are no numbers as fooled', async () => {
    /** Right on clean images, and no numbers where every pixel is 1. */
    const fragile: Classifier = {
      ...one,
      name: 'fragile',
      logits: (x) => {
        const room = tf.scalar(1).sub(x.min([1, 2, 3]));
        return one.logits(x).mul(room.div(room).expandDims(1)) as tf.Tensor2D;
      },
    };
    const white = customAttack({ step: ({ x }) => ({ x: tf.onesLike(x) as tf.Tensor4D }) });
    const contenders = [contender(one), contender(fragile)];
    const run = await runExperiment(
      transferPlan([planned(white)], { contenders, transferEpsilon: 1, epsilons: [0.01] }),
      harness(),
    );
    expect(entry(run, 'custom', 'small-1', 'small-1')?.fooled).toBeGreaterThan(0);
    expect(entry(run, 'custom', 'small-1', 'fragile')?.fooled).toBe(0);
  });

  it('passes its sanity check', async () => {
    const run = await runExperiment(transferPlan([planned(pgd, { steps: 10 })]), harness());
    expect(run.checks.find(({ name }) => name === 'transfer is weaker than white box')?.verdict).toBe('pass');
  });

  it('leaves no tensor behind', async () => {
    const made = transferPlan([planned(pgd, { steps: 3 })]);
    const before = tf.memory().numTensors;
    await runExperiment(made, harness());
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([
    ['one network', { contenders: [contender()] }, /a transfer needs two networks/],
    ['a radius beyond the box', { transferEpsilon: 8 }, /the transfer's epsilon 8: a radius is 0 or more/],
  ] as const)('of %s is refused', async (_, given, message) => {
    await expect(runExperiment(transferPlan([planned(fgsm)], given), harness())).rejects.toThrow(message);
  });

  it('of noise alone is refused', async () => {
    await expect(runExperiment(transferPlan([planned(noise)]), harness())).rejects.toThrow(
      /needs an attack that looks at a network; noise aims at none/,
    );
  });
});

describe('an interrupted transfer', () => {
  const wander = defineAttack({
    ...customAttack({ name: 'wander', steps: () => 3 }),
    step: ({ x }, { ball: room, gradient, noise: draw }) => ({
      x: room.project(x.add(gradient(x).sign().mul(0.02)).add(draw(INPUT, 'normal').mul(0.01)) as tf.Tensor4D),
    }),
  });
  const attacks = [planned(wander), together('both', [planned(fgsm), planned(wander)])];

  it.each([1, 3])('ends in the same matrix when it is resumed after every %i records', async (limit) => {
    const uninterrupted = await runExperiment(transferPlan(attacks), harness());
    const records: JournalRecord[] = [];
    const made = (attempt: number) => transferPlan(attacks, { batch: 3 + (attempt % 4) });
    const { run, attempts } = await untilItEnds(made, { records, limit });
    expect(attempts).toBeGreaterThan(4);
    expect(run === undefined ? undefined : timeless(run)).toEqual(timeless(uninterrupted));
    const rows = records.flatMap((record) => (record.kind === 'transfer' ? record.rows : []));
    const tried = uninterrupted.transfer?.filter(({ source, target }) => source.arch === target.arch) ?? [];
    // Nothing is tried twice.
    expect(rows).toHaveLength(tried.reduce((sum, { images }) => sum + images, 0));
  });
});

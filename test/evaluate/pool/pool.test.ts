import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import pgd from '../../../attacks/pgd.ts';
import { eager } from '../../../src/compile/eager.ts';
import type { Resident, Values } from '../../../src/compile/types.ts';
import { defineAttack } from '../../../src/core/attack.ts';
import type { Classifier } from '../../../src/core/classifier.ts';
import { none } from '../../../src/core/column.ts';
import type { Goal } from '../../../src/core/threat-model.ts';
import { selectImages } from '../../../src/evaluate/images.ts';
import type { AttackEngine, Judge } from '../../../src/evaluate/pool/engine.ts';
import { prepareAttack, prepareJudge } from '../../../src/evaluate/pool/engine.ts';
import type { Assignment, Fallen } from '../../../src/evaluate/pool/lanes.ts';
import { type Outcome, type PoolReport, runPool } from '../../../src/evaluate/pool/pool.ts';
import type { Rehearsal } from '../../../src/evaluate/rehearse/rehearse.ts';
import { rehearse } from '../../../src/evaluate/rehearse/rehearse.ts';
import { tf } from '../../../src/tf.ts';
import { planned, smallClassifier, smallDataset, walk } from '../fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const GOAL: Goal = { kind: 'untargeted' };
const STEPS = 5;
/** The hardness of an image that withstands all steps, and the judge too. */
const NEVER = 0;

/**
 * An attack without a network, so that any schedule can be tried: an image is one value, and its label says how hard it is:
 * it is fooled once it has taken so many steps. More than `STEPS` are never enough.
 */
const rehearsal: Rehearsal = {
  steps: STEPS,
  minimumNorm: false,
  targets: undefined,
  state: { x: { shape: [1], dtype: 'float32' } },
  init: { noise: [], gradients: 0, forwards: 0 },
  step: { noise: [], gradients: 1, forwards: 0 },
};

const imagine = (batch: number): { readonly engine: AttackEngine; readonly judge: Judge } => ({
  engine: {
    batch,
    init: async ({ clean }) => ({ x: clean.slice() }),
    step: async (state, { label, iteration }) => ({
      state,
      predicted: label.map((hardness, slot) => ((iteration[slot] as number) >= hardness ? 0 : hardness)),
      margin: new Float32Array(batch),
    }),
    release: async () => undefined,
  },
  judge: { batch, classes: 9, logits: async () => new Float32Array(batch * 9), release: async () => undefined },
});

interface Told extends PoolReport {
  readonly outcomes: readonly Outcome[];
  /** The most images that were held at once. */
  readonly window: number;
}

async function flow(
  hardness: readonly number[],
  batch: number,
  refill = true,
  radii: readonly number[] = [0],
): Promise<Told> {
  const { engine, judge } = imagine(batch);
  const outcomes: Outcome[] = [];
  let [given, window] = [0, 0];
  const work = async function* (): AsyncGenerator<Assignment> {
    for (const [index, label] of hardness.entries()) {
      given += 1;
      window = Math.max(window, given - outcomes.length);
      yield { image: { index, id: `${index}`, hash: index, label, pixels: Float32Array.of(index / 256) }, radii };
    }
  };
  const report = await runPool({
    ...{ engine, judge, rehearsal, refill, work: work() },
    goal: GOAL,
    seed: 0,
    norm: 'Linf',
    epsilons: radii.map((radius) => 0.5 + radius),
    restarts: 1,
    input: [1, 1, 1],
    onSettled: async (settled) => void outcomes.push(...settled),
  });
  return { ...report, outcomes, window };
}

const inOrder = (a: Outcome, b: Outcome): number => a.image - b.image || a.radius - b.radius;

const hardnesses = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 40 });
const batches = fc.integer({ min: 1, max: 9 });
const stepsSpent = (hardness: number): number => Math.min(STEPS, hardness + 1);

describe('slots', () => {
  it('settle every item once, after as many steps as it needs, whatever their number', async () => {
    await fc.assert(
      fc.asyncProperty(hardnesses, batches, fc.boolean(), async (hardness, batch, refill) => {
        const { outcomes, occupied, calls } = await flow(hardness, batch, refill);
        const spent = outcomes.toSorted((a, b) => a.image - b.image).map(({ gradients }) => gradients);
        expect(spent).toEqual(hardness.map(stepsSpent));
        expect(occupied).toBe(spent.reduce((a, b) => a + b, 0));
        expect(calls * batch).toBeGreaterThanOrEqual(occupied);
      }),
    );
  });

  it('take no more calls than a queue without idle slots can', async () => {
    await fc.assert(
      fc.asyncProperty(hardnesses, batches, async (hardness, batch) => {
        const { calls, occupied } = await flow(hardness, batch);
        // Only while the last items finish may a slot be empty, and that takes fewer than STEPS calls.
        expect(calls).toBeLessThan(occupied / batch + STEPS);
        expect(calls).toBeLessThanOrEqual((await flow(hardness, batch, false)).calls);
      }),
    );
  });

  it('begin every image before they go on with other radii, so that none walks its way alone at the end', async () => {
    const [images, batch, radii] = [12, 4, [0, 1, 2, 3]];
    const { calls, occupied } = await flow(new Array<number>(images).fill(NEVER), batch, true, radii);
    expect(occupied).toBe(images * radii.length * STEPS);
    expect(calls).toBe(occupied / batch);
  });

  it('go on at once with what has ended, where nothing else waits for a slot', async () => {
    const radii = [0, 1, 2, 3];
    const { calls } = await flow([NEVER, NEVER], 8, true, radii);
    expect(calls).toBe(radii.length * STEPS);
  });

  it('hold a window of the images, never all of them', async () => {
    const { window } = await flow(
      Array.from({ length: 200 }, (_, i) => 1 + (i % 8)),
      4,
    );
    expect(window).toBeLessThanOrEqual(6 * 4);
  });
});

/** When an image's step first claims the goal, and when its judge first confirms it, in steps taken. */
interface Doubtful {
  readonly claims: number;
  readonly confirms: number;
}

/**
 * The same without a network, where judge and step disagree: an image of one pixel that says when either is fooled, and how
 * many steps it has taken.
 */
async function doubt(
  images: readonly Doubtful[],
  batch: number,
  isStandIn: boolean,
  radii: readonly number[] = [0],
  device: Device | undefined = undefined,
): Promise<Outcome[]> {
  const coded = (value: number) => {
    const code = Math.round(value * 4096);
    return { claims: code >> 8, confirms: (code >> 4) & 15, taken: code & 15 };
  };
  const engine: AttackEngine = {
    batch,
    init: async ({ clean }) => ({ x: clean.slice() }),
    step: async (state) => {
      const entering = device?.look(state.x) ?? (state.x as Float32Array);
      const found = Array.from(entering, coded);
      const x = entering.map((value) => value + 1 / 4096);
      return {
        state: { x: device?.keep(x) ?? x },
        predicted: Int32Array.from(found, ({ claims, taken }) => (taken >= claims ? 0 : 1)),
        margin: new Float32Array(batch),
      };
    },
    release: async () => undefined,
  };
  const judge: Judge = {
    batch,
    classes: 2,
    logits: async (shown) =>
      Float32Array.from(
        Array.from(shown, coded).flatMap(({ confirms, taken }) => (taken >= confirms ? [1, 0] : [0, 1])),
      ),
    release: async () => undefined,
  };
  const outcomes: Outcome[] = [];
  const work = async function* (): AsyncGenerator<Assignment> {
    for (const [index, { claims, confirms }] of images.entries()) {
      const pixels = Float32Array.of((claims * 256 + confirms * 16) / 4096);
      yield { image: { index, id: `${index}`, hash: index, label: 1, pixels }, radii };
    }
  };
  await runPool({
    ...{ engine, judge, rehearsal, isStandIn, work: work(), goal: GOAL, seed: 0, norm: 'Linf', restarts: 1 },
    ...{ epsilons: radii.map((radius) => 0.5 + radius), input: [1, 1, 1] },
    onSettled: async (settled) => void outcomes.push(...settled),
  });
  return outcomes.toSorted(inOrder);
}

/** A memory of its own, as a graphics processor has one. */
class Device {
  readonly #held = new Map<Resident, Float32Array>();
  reads = 0;

  get size(): number {
    return this.#held.size;
  }

  keep(values: Float32Array): Resident {
    const resident: Resident = {
      length: values.length,
      read: async () => {
        this.reads += 1;
        return this.look(resident).slice();
      },
      dispose: () => {
        if (!this.#held.delete(resident)) throw new Error('freed twice');
      },
    };
    this.#held.set(resident, values);
    return resident;
  }

  /** What computes there sees; whoever reads what is freed is wrong. */
  look(values: Values | undefined): Float32Array {
    if (values === undefined || ArrayBuffer.isView(values)) return values as Float32Array;
    const held = this.#held.get(values);
    if (held === undefined) throw new Error('this was freed');
    return held;
  }
}

const doubtful = fc.array(fc.record({ claims: fc.nat({ max: 8 }), confirms: fc.nat({ max: 8 }) }), {
  minLength: 1,
  maxLength: 30,
});

describe('a state that stays on a device', () => {
  it('gives what one gives that comes home after every step, and is freed', async () => {
    await fc.assert(
      fc.asyncProperty(
        doubtful,
        batches,
        fc.boolean(),
        fc.constantFrom([0], [0, 0.25]),
        async (images, batch, isStandIn, radii) => {
          const device = new Device();
          expect(await doubt(images, batch, isStandIn, radii, device)).toEqual(
            await doubt(images, batch, isStandIn, radii),
          );
          expect(device.size).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is read where an image ends, and at no other step', async () => {
    const device = new Device();
    await doubt([{ claims: 9, confirms: 9 }], 1, false, [0], device);
    expect(device.reads).toBe(1);
  });
});

describe('a claim that the judge does not confirm', () => {
  it('ends nothing: the image takes its further steps, and falls as soon as step and judge agree', async () => {
    await fc.assert(
      fc.asyncProperty(doubtful, batches, fc.boolean(), async (images, batch, isStandIn) => {
        const outcomes = await doubt(images, batch, isStandIn);
        expect(outcomes).toHaveLength(images.length);
        outcomes.forEach(({ robust, gradients }, i) => {
          const { claims, confirms } = images[i] as Doubtful;
          // Where the last step ends the judge looks by itself.
          expect(robust).toBe(confirms > STEPS);
          expect(gradients).toBe(Math.min(STEPS, Math.max(claims, confirms) + 1));
        });
      }),
    );
  });

  it('counts once, where the image stands in the end; of a stand-in that was fooled alone, never', async () => {
    await fc.assert(
      fc.asyncProperty(doubtful, batches, async (images, batch) => {
        const outcomes = await doubt(images, batch, false);
        outcomes.forEach(({ robust, unverified }, i) => {
          expect(unverified).toBe(robust && (images[i] as Doubtful).claims < STEPS ? 1 : 0);
        });
        for (const { unverified } of await doubt(images, batch, true)) expect(unverified).toBe(0);
      }),
    );
  });

  it('changes nothing for others: results are the same whatever the batch, at several radii too', async () => {
    await fc.assert(
      fc.asyncProperty(doubtful, batches, async (images, batch) => {
        const radii = [0, 0.1, 0.2];
        expect(await doubt(images, batch, false, radii)).toEqual(await doubt(images, 1, false, radii));
      }),
    );
  });
});

describe('a pool on a network', () => {
  const classifier = smallClassifier();
  const dataset = smallDataset(12);

  const PGD = planned(pgd, { steps: 3, step: 0.01 });

  async function attack(
    batch: number,
    restarts: number,
    epsilons: readonly number[],
    how = PGD,
    judged: Classifier = classifier,
    fallen?: Fallen,
  ): Promise<Outcome[]> {
    const spec = { ...how, classifier, norm: 'Linf', targeted: false } as const;
    const learned = await rehearse(spec);
    const outcomes: Outcome[] = [];
    const radii = [...epsilons.keys()].sort((a, b) => (epsilons[a] as number) - (epsilons[b] as number));
    const work = async function* (): AsyncGenerator<Assignment> {
      for await (const image of selectImages(dataset, 12, 0).stream()) yield { image, radii, fallen };
    };
    await runPool({
      engine: await prepareAttack(eager, { ...spec, batch, rehearsal: learned }),
      judge: await prepareJudge(eager, judged, batch),
      isStandIn: judged !== classifier,
      rehearsal: learned,
      goal: GOAL,
      seed: 5,
      norm: 'Linf',
      ...{ epsilons, restarts, work: work() },
      input: classifier.input,
      onSettled: async (settled) => void outcomes.push(...settled),
    });
    return outcomes.toSorted(inOrder);
  }

  it('gives the same candidates, bit for bit, whatever the batch', async () => {
    const one = await attack(1, 2, [0.05, 0.2]);
    expect(await attack(5, 2, [0.05, 0.2])).toEqual(one);
    expect(one.some(({ robust }) => robust)).toBe(true);
    expect(one.some(({ robust }) => !robust)).toBe(true);
  });

  it('does so too where another network judges, and goes on beyond what fools the first alone', async () => {
    const other = smallClassifier(9);
    const judged: Classifier = {
      ...classifier,
      logits: (x) => classifier.logits(x).add(other.logits(x).mul(0.7)) as tf.Tensor2D,
    };
    const long = planned(pgd, { steps: 8, step: 0.02 });
    const one = await attack(1, 2, [0.05, 0.2], long, judged);
    expect(await attack(5, 2, [0.05, 0.2], long, judged)).toEqual(one);
    const alone = await attack(4, 2, [0.05, 0.2], long);
    const later = one.filter(({ robust, gradients }, i) => !robust && gradients > (alone[i]?.gradients ?? 0));
    expect(later.length).toBeGreaterThan(0);
  });

  it('restarts only images that still stand, and with other noise', async () => {
    const once = await attack(4, 1, [0.1]);
    const twice = await attack(4, 2, [0.1]);
    once.forEach((outcome, i) => {
      if (!outcome.robust) expect(twice[i]).toEqual(outcome);
      else expect(twice[i]?.gradients).toBeGreaterThan(outcome.gradients);
      if (twice[i]?.robust === true) expect(twice[i].made).not.toEqual(outcome.made);
    });
  });

  const RADII = [0, 0.02, 0.05, 0.1, 0.2];

  it('attacks an image no more once it has fallen at a smaller radius, of which it has the adversarial image', async () => {
    const far = planned(pgd, { steps: 3 });
    const together = await attack(4, 1, RADII, far);
    const apart = await Promise.all(RADII.map((epsilon) => attack(4, 1, [epsilon], far)));
    const fallen = new Map<number, Outcome>();
    for (const [radius, alone] of apart.entries()) {
      for (const outcome of together.filter((one) => one.radius === radius)) {
        const before = fallen.get(outcome.image);
        const own = alone.find(({ image }) => image === outcome.image);
        const fell = together.some((one) => one.image === outcome.image && one.radius < radius && !one.robust);
        if (before === undefined) expect(outcome).toEqual({ ...own, radius, ...(fell ? { fell: 'before' } : {}) });
        else expect(outcome).toMatchObject({ robust: false, gradients: 0, made: before.made, fell: 'before' });
        if (!outcome.robust && !outcome.robust8bit) fallen.set(outcome.image, outcome);
      }
    }
    expect(fallen.size).toBeGreaterThan(3);
    expect(together.some(({ gradients }) => gradients === 0)).toBe(true);
  });

  it('says what the image is taken for that it leaves, be it that of a smaller radius', async () => {
    const outcomes = await attack(4, 4, RADII, planned(pgd, { steps: 3, step: 0.005 }));
    const predictedOf = (x: Float32Array): number | undefined =>
      tf.tidy(
        () =>
          classifier
            .logits(tf.tensor4d(x.slice(), [1, ...classifier.input]))
            .argMax(1)
            .dataSync()[0],
      );
    for (const { made, predicted } of outcomes) expect(predicted).toBe(predictedOf(made.x));
    expect(outcomes.some(({ fell }) => fell === 'before')).toBe(true);
    expect(outcomes.some(({ fell }) => typeof fell === 'number' && fell > 3)).toBe(true);
    // What fell in an earlier attempt of the run is what it was then, though nothing is found now.
    const known = { robust8bit: true, predicted: 9 };
    const again = await attack(4, 1, [1e-6], PGD, classifier, known);
    const unmoved = again.filter(({ predicted }) => predicted === 9);
    expect(unmoved.length).toBeGreaterThan(8);
    for (const outcome of again) expect(outcome).toMatchObject({ robust: false, fell: 'before', size: undefined });
  });

  it('settles an image as one where the radii come in any order', async () => {
    const ascending = await attack(4, 1, RADII);
    const order = [3, 0, 4, 1, 2];
    const shuffled = await attack(
      4,
      1,
      order.map((i) => RADII[i] as number),
    );
    expect(shuffled.map((one) => ({ ...one, radius: order[one.radius] as number })).toSorted(inOrder)).toEqual(
      ascending,
    );
  });

  it('measures by the nearest adversarial image, at all radii from one search', async () => {
    const outcomes = await attack(4, 1, RADII, planned(walk));
    // The image whose label is wrong is at distance 0 from one that is misclassified: itself.
    const found = outcomes.filter(({ distance }) => (distance ?? 0) > 0);
    expect(found.length).toBeGreaterThan(10);
    for (const { distance, robust, radius, gradients, made, image } of found) {
      const [reached, epsilon] = [distance as number, RADII[radius] as number];
      expect(Math.abs(reached * 100 - Math.round(reached * 100))).toBeLessThan(1e-3);
      expect(robust).toBe(reached > epsilon + 1e-6);
      expect(gradients).toBe(radius === 0 ? 20 : 0);
      // One step less would not have done.
      const shorter = await attack(4, 1, [Math.max(0, reached - 0.005)], { ...PGD, attack: walk, params: {} });
      expect(shorter.find((other) => other.image === image)).toMatchObject({ robust: true, made });
    }
  });

  it('takes no further step of an image that is finished', async () => {
    const stops = defineAttack({
      ...walk,
      init: (x) => ({ x, isFinished: none(x) }),
      step: ({ x }, { ball, gradient, reached }) => ({
        x: ball.project(x.add(ball.steepest(gradient(x)).mul(0.01))),
        isFinished: reached(x),
      }),
    });
    const whole = await attack(4, 1, RADII, planned(walk));
    const stopped = await attack(4, 1, RADII, planned(stops));
    whole.forEach(({ distance }, i) => {
      expect(stopped[i]).toMatchObject({ distance, robust: whole[i]?.robust });
      // The step that looks at the image that reaches the goal is the last.
      const steps = distance === null ? 20 : Math.round((distance as number) * 100) + 1;
      if (stopped[i]?.radius === 0) expect(stopped[i].gradients).toBe(steps);
    });
    expect(whole.some(({ distance }) => (distance ?? 0) > 0.05)).toBe(true);
  });

  it('counts no image that is only a place to look from', async () => {
    const roams = (says: boolean) =>
      defineAttack({
        ...{ ...walk, name: 'roams', minimumNorm: false, steps: () => 3 },
        init: (x) => ({ x, ...(says ? { isCandidate: none(x) } : {}) }),
        step: ({ x }, { ball, gradient }) => ({
          x: x.add(ball.steepest(gradient(x)).mul(0.5)),
          ...(says ? { isCandidate: none(x) } : {}),
        }),
      });
    const unsaid = await attack(4, 1, [0.02], planned(roams(false)));
    const fallen = unsaid.filter(({ unverified }) => unverified > 0).map(({ image }) => image);
    expect(fallen.length).toBeGreaterThan(3);
    const said = await attack(4, 1, [0.02], planned(roams(true)));
    for (const outcome of said.filter(({ image }) => fallen.includes(image))) {
      expect(outcome).toMatchObject({ robust: true, robust8bit: true, unverified: 0, gradients: 3 });
    }
  });

  it('aims at the likeliest wrong classes in turn, at each until the goal is reached', async () => {
    const aimed = { ...PGD, attack: { ...pgd, targets: () => 2 }, params: { ...PGD.params, random: false } };
    const plain = await attack(4, 1, [0.02], { ...PGD, params: { ...PGD.params, random: false } });
    const outcomes = await attack(4, 1, [0.02], aimed);
    const standing = outcomes.filter(({ robust }) => robust);
    expect(standing.length).toBeGreaterThan(0);
    // Three steps at either class; the look at the clean logits, and at where each try ends.
    for (const outcome of standing) expect(outcome).toMatchObject({ gradients: 6, forwards: 3 });
    expect(outcomes.map(({ made }) => made)).not.toEqual(plain.map(({ made }) => made));
  });
});

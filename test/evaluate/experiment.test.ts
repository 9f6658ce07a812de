import { beforeAll, describe, expect, it } from 'vitest';
import fgsm from '../../attacks/fgsm.ts';
import noise from '../../attacks/noise.ts';
import pgd from '../../attacks/pgd.ts';
import { eager } from '../../src/compile/eager.ts';
import type { Prepare } from '../../src/compile/types.ts';
import type { Attack } from '../../src/core/attack.ts';
import { defineAttack } from '../../src/core/attack.ts';
import type { Classifier } from '../../src/core/classifier.ts';
import type { Run } from '../../src/core/run.ts';
import { runExperiment } from '../../src/evaluate/experiment.ts';
import type { ExperimentPlan, Harness, ProgressEvent } from '../../src/evaluate/plan.ts';
import { Interrupted } from '../../src/evaluate/plan.ts';
import { tf } from '../../src/tf.ts';
import { contender, customAttack, harness, plan, planned, smallClassifier, smallDataset } from './fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

const timeless = ({ cells }: Run) => cells.map(({ seconds: _, ...cell }) => cell);

/** Draws noise in every step and carries more than the candidate. */
const wanderer = defineAttack({
  name: 'wanderer',
  title: 'Noisy gradient steps with momentum',
  paper: 'https://example.org',
  norms: ['Linf', 'L2'],
  access: 'gradient',
  params: {},
  steps: () => 4,
  init: (x, { ball }) => ({ x: ball.randomPoint(), velocity: x.zerosLike(), count: tf.zeros([x.shape[0]], 'int32') }),
  step: ({ x, velocity, count }, { ball, epsilon, gradient, noise: draw }) => {
    const jitter = draw(x.shape.slice(1), 'normal')
      .mul(0.3)
      .add(draw([1, 1, 1], 'uniform'));
    const next = velocity?.mul(0.5).add(gradient(x)).add(jitter) as tf.Tensor4D;
    return {
      x: ball.project(x.add(ball.steepest(next).mul(epsilon).mul(0.5))),
      velocity: next,
      count: (count as tf.Tensor).add(tf.scalar(1, 'int32')),
    };
  },
});

const several = [planned(noise), planned(fgsm), planned(pgd, { steps: 4 }), planned(wanderer as Attack)];
const run = (given: Partial<ExperimentPlan> = {}, rest: Partial<Harness> = {}): Promise<Run> =>
  runExperiment(plan(several, given), harness(rest));

describe('an experiment', () => {
  it('gives the same cells whatever the batch size', async () => {
    const small = { restarts: 2, galleryRows: 2, epsilons: [0, 0.1] };
    const reference = await run({ batch: 1, ...small });
    for (const batch of [7, 64]) {
      const other = await run({ batch, ...small });
      expect(timeless(other)).toEqual(timeless(reference));
      expect(other.gallery).toEqual(reference.gallery);
      expect(other.worstCases).toEqual(reference.worstCases);
    }
    const middle = reference.cells.filter(({ epsilon }) => epsilon === 0.1).map(({ robustCorrect }) => robustCorrect);
    // The law would be empty if nothing, or everything, were fooled.
    expect(Math.max(...middle)).toBeGreaterThan(0);
    expect(Math.min(...middle)).toBeLessThan(18);
  });

  it('finds the same images robust where attacks go on to their last step, at more cost and with surer pictures', async () => {
    const given = { restarts: 2, galleryRows: 20, epsilons: [0, 0.05, 0.1] };
    const [early, late] = [await run(given), await run({ ...given, earlyStop: false })];
    const robust = ({ cells }: Run) =>
      cells.map(({ attack, epsilon, robustCorrect }) => [attack, epsilon, robustCorrect]);
    expect(robust(late)).toEqual(robust(early));
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    expect(sum(late.cells.map(({ gradients }) => gradients))).toBeGreaterThan(
      sum(early.cells.map(({ gradients }) => gradients)),
    );
    const sureness = ({ gallery }: Run) =>
      sum(
        gallery
          .filter(({ attack }) => attack === 'pgd')
          .map(({ adversarialTop }) => adversarialTop[0]?.confidence ?? 0),
      );
    expect(sureness(late)).toBeGreaterThan(sureness(early));
  });

  it('gives other noise for another seed', async () => {
    const cellsOfSeed = async (seed: number) => timeless(await run({ seed, images: 20, epsilons: [0.05] }));
    const one = await cellsOfSeed(1);
    expect(await cellsOfSeed(1)).toEqual(one);
    expect(await cellsOfSeed(2)).not.toEqual(one);
  });

  it('counts images misclassified clean as not robust and does not attack them', async () => {
    const { cells } = await run({ epsilons: [0] });
    for (const cell of cells)
      expect(cell).toMatchObject({ images: 20, cleanCorrect: 18, robustCorrect: 18, unverified: 0 });
    const one = cells.find(({ attack }) => attack === 'fgsm');
    expect(one).toMatchObject({ gradients: 18, forwards: 18 });
  });

  it('takes the minimum over attacks image by image', async () => {
    // Dark or bright: going darker fools one of these greys, going brighter three others, and three withstand both.
    const greys = [0.05, 0.1, 0.4, 0.4, 0.45, 0.6, 0.9];
    const brightness: Classifier = {
      ...smallClassifier(),
      logits: (x) =>
        tf.stack([x.mean([1, 2, 3]).neg().add(0.5), x.mean([1, 2, 3]).sub(0.5), ...far(x)], 1) as tf.Tensor2D,
    };
    const far = (x: tf.Tensor4D) => [2, 3].map(() => tf.fill([x.shape[0]], -9));
    const dataset = {
      ...smallDataset(greys.length),
      stream: async function* () {
        for (const [i, grey] of greys.entries())
          yield { image: new Float32Array(20).fill(grey), label: grey < 0.5 ? 0 : 1, id: `grey/${i}` };
      },
    };
    const going = (name: string, by: number) =>
      planned(customAttack({ name, step: ({ x }, { ball }) => ({ x: ball.project(x.add(by) as tf.Tensor4D) }) }));
    const { cells, worstCases } = await runExperiment(
      plan([going('darker', -1), going('brighter', 1)], {
        dataset,
        epsilons: [0.3],
        contenders: [contender(brightness)],
      }),
      harness(),
    );
    expect(cells.map(({ robustCorrect }) => robustCorrect)).toEqual([6, 4]);
    expect(worstCases?.map(({ robustCorrect, robustCorrect8bit }) => [robustCorrect, robustCorrect8bit])).toEqual([
      [3, 3],
    ]);
  });

  it('leaves no tensor behind', async () => {
    const made = plan(several, { galleryRows: 1 });
    const before = tf.memory().numTensors;
    await runExperiment(made, harness());
    expect(tf.memory().numTensors).toBe(before);
  });

  it('passes its own sanity checks on honest attacks', async () => {
    const honest = [planned(noise), planned(fgsm), planned(pgd, { steps: 4 })];
    const { checks } = await runExperiment(plan(honest, { epsilons: [0, 0.02, 0.1] }), harness());
    expect(Object.fromEntries(checks.map(({ name, verdict }) => [name, verdict]))).toEqual({
      'radius 0 changes nothing': 'pass',
      'accuracy falls with the radius': 'pass',
      'noise is weaker than gradients': 'pass',
      'many steps are at least as strong as one': 'pass',
      'what withstands one step withstands many': 'not-run',
      'transfer is weaker than white box': 'not-run',
      'every claimed success is confirmed': 'pass',
    });
  });

  it('reaches the target where there is one, and leaves images of that class out of every count', async () => {
    const dataset = smallDataset(20);
    const labels: number[] = [];
    for await (const { label } of dataset.stream({})) labels.push(label);
    const target = labels[0] as number;
    const images = labels.filter((label) => label !== target).length;
    // The law would be empty if there were none on either side.
    expect(images).toBeGreaterThan(1);
    expect(images).toBeLessThan(19);
    // Every tenth label is wrong, and its image not attacked: it counts unless it is the target's.
    const right = images - [9, 19].filter((i) => labels[i] !== target).length;
    const { cells, worstCases, provenance } = await runExperiment(
      plan([planned(pgd, { steps: 40, step: 0.1 }), planned(noise)], {
        ...{ goal: { kind: 'targeted', target }, dataset, epsilons: [0, 1] },
      }),
      harness(),
    );
    for (const cell of [...cells, ...(worstCases ?? [])]) expect(cell.images).toBe(images);
    const [none, wide] = cells;
    expect(none).toMatchObject({ cleanCorrect: right, robustCorrect: right, cleanAccuracy: right / images });
    expect(wide).toMatchObject({ cleanCorrect: right, robustCorrect: 0 });
    expect(worstCases?.map(({ robustCorrect }) => robustCorrect)).toEqual([right, 0]);
    expect(provenance.dataset.images).toBe(images);
    expect(provenance.dataset.selection).toMatch(
      new RegExp(`^all 20 images; ${20 - images} images of class ${target} \\(\\w+\\), the target, are left out$`),
    );
  });

  it('with nothing but images of the target class is refused', async () => {
    const whole = smallDataset(20);
    const one = { ...whole, stream: () => whole.stream({ images: 1 }) };
    let target = -1;
    for await (const { label } of one.stream()) target = label;
    await expect(run({ dataset: one, goal: { kind: 'targeted', target } })).rejects.toThrow(
      /every image is of class \d \(\w+\), the target/,
    );
  });

  it('gives an attack without noise one restart', async () => {
    const { cells } = await run({ restarts: 5 });
    expect(new Map(cells.map(({ attack, restarts }) => [attack, restarts]))).toEqual(
      new Map([
        ['noise', 5],
        ['fgsm', 1],
        ['pgd', 5],
        ['wanderer', 5],
      ]),
    );
  });

  it('never fools fewer images with more restarts', async () => {
    const once = await run({ restarts: 1, epsilons: [0.02, 0.05] });
    const often = await run({ restarts: 4, epsilons: [0.02, 0.05] });
    once.cells.forEach((cell, i) => {
      expect(often.cells[i]?.robustCorrect).toBeLessThanOrEqual(cell.robustCorrect);
    });
  });

  it('measures several networks, each with its own clean accuracy', async () => {
    const other = contender(smallClassifier(9), 'other');
    const { cells, provenance } = await run({ contenders: [contender(), other], epsilons: [0.05] });
    expect(new Set(cells.map(({ arch }) => arch))).toEqual(new Set(['small-1', 'small-9']));
    expect(cells.at(-1)?.cleanCorrect).toBeLessThan(18);
    expect(provenance.weights).toEqual({
      'small-1/standard': 'weights of small-1',
      'small-9/other': 'weights of small-9',
    });
  });

  it('says how fast each network was and what the process held, apart from the cells', async () => {
    const contenders = [contender(), contender(smallClassifier(9), 'other')];
    const { cells, performance = [] } = await run({ contenders, epsilons: [0.05] });
    expect(performance.map((one) => one.contender)).toEqual(['small-1/standard', 'small-9/other']);
    for (const [i, { forwardPerSecond, gradientsPerSecond = 0, peakMemory }] of performance.entries()) {
      expect(forwardPerSecond).toBeGreaterThan(0);
      const own = cells.filter(({ training }) => training === contenders[i]?.training);
      const aimed = own.filter(({ gradients }) => gradients > 0);
      const sum = (of: (cell: (typeof cells)[number]) => number): number => aimed.reduce((all, c) => all + of(c), 0);
      // The noise takes time too, but asks for no gradient.
      expect(aimed.length).toBe(own.length - 1);
      expect(gradientsPerSecond / (sum((c) => c.gradients) / sum((c) => c.seconds))).toBeCloseTo(1, 6);
      expect(peakMemory).toBeGreaterThan(20e6);
      expect(peakMemory).toBeLessThanOrEqual(1024 * process.resourceUsage().maxRSS);
    }
  });

  it('of attacks without gradients has no speed of them', async () => {
    const { performance } = await runExperiment(plan([planned(noise)], { epsilons: [0.05] }), harness());
    expect(performance?.[0]).toMatchObject({ contender: 'small-1/standard', peakMemory: expect.any(Number) });
    expect(performance?.[0]).not.toHaveProperty('gradientsPerSecond');
  });

  it('takes the first images of the seeded order, and says so', async () => {
    const part = await run({ images: 5, epsilons: [0] });
    expect(part.provenance.dataset).toMatchObject({
      images: 5,
      selection: 'the first 5 of 20 images in the order of seed 3',
    });
    expect((await run({ images: 99, epsilons: [0] })).provenance.dataset).toMatchObject({
      images: 20,
      selection: 'all 20 images',
    });
  });

  it('tells how far it is', async () => {
    const events: ProgressEvent[] = [];
    await run({}, { onProgress: (event) => events.push(event) });
    expect(events.filter(({ phase }) => phase === 'clean').at(-1)).toMatchObject({
      done: 20,
      total: 20,
      accuracy: 0.9,
    });
    const last = events.filter(({ phase, attack }) => phase === 'attack' && attack === 'pgd').at(-1);
    expect(last).toMatchObject({ contender: 'small-1/standard', done: 54, total: 54 });
    expect(last?.gradients).toBeGreaterThan(0);
  });

  it('stops at once when it is told to', async () => {
    const controller = new AbortController();
    const stopped = run({}, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toThrow(Interrupted);
  });
});

describe('an attack that breaks its word', () => {
  const measure = async (parts: Partial<Attack>) => {
    const { cells, checks } = await runExperiment(
      plan([planned(customAttack(parts))], { epsilons: [0.01] }),
      harness(),
    );
    const verdict = checks.find(({ name }) => name === 'every claimed success is confirmed')?.verdict;
    return { cell: cells[0], verdict };
  };

  it('gains nothing by leaving the ball', async () => {
    const { cell, verdict } = await measure({ step: ({ x }) => ({ x: tf.onesLike(x).sub(x) as tf.Tensor4D }) });
    expect(cell?.robustCorrect).toBe(18);
    expect(cell?.unverified).toBeGreaterThan(0);
    expect(verdict).toBe('fail');
  });

  it('gains nothing by leaving the box', async () => {
    const { cell } = await measure({ step: ({ x }) => ({ x: x.sub(5) as tf.Tensor4D }) });
    expect(cell?.robustCorrect).toBe(18);
  });

  it('gains nothing by writing NaN, and every such image is counted', async () => {
    const { cell, verdict } = await measure({ step: ({ x }) => ({ x: x.mul(Number.NaN) as tf.Tensor4D }) });
    expect(cell).toMatchObject({ robustCorrect: 18, robustCorrect8bit: 18, unverified: 18 });
    expect(verdict).toBe('fail');
  });

  it('gains the network nothing where its logits are no numbers: every such image is counted', async () => {
    const honest = smallClassifier();
    // 0/0 on the white image, to which every candidate goes, and 1 elsewhere.
    const fragile: Classifier = {
      ...honest,
      logits: (x) => {
        const room = tf.scalar(1).sub(x.min([1, 2, 3]));
        return honest.logits(x).mul(room.div(room).expandDims(1)) as tf.Tensor2D;
      },
    };
    const white = customAttack({ step: ({ x }) => ({ x: tf.onesLike(x) as tf.Tensor4D }) });
    const { cells, checks } = await runExperiment(
      plan([planned(white)], { epsilons: [1], contenders: [contender(fragile)] }),
      harness(),
    );
    expect(cells[0]).toMatchObject({ robustCorrect: 18, unverified: 18 });
    expect(checks.find(({ name }) => name === 'every claimed success is confirmed')?.verdict).toBe('fail');
  });

  it('gains nothing by a forward pass that claims what is not so', async () => {
    // The network of the step is broken: it sees fooled images everywhere. The judge's is not.
    const honest = smallClassifier();
    let lying = false;
    let calls = 0;
    const moody = { ...honest, logits: (x: tf.Tensor4D) => honest.logits(x).mul(lying ? -1 : 1) as tf.Tensor2D };
    const liar = customAttack({
      step: (state) => {
        lying = true;
        calls += 1;
        return state;
      },
    });
    const prepare: Prepare = (fn, specs, options) =>
      eager(
        (...args) => {
          lying = false;
          return fn(...args);
        },
        specs,
        options,
      );
    const { cells } = await runExperiment(
      plan([planned(liar)], { epsilons: [0.01], contenders: [contender(moody)] }),
      harness({ prepare }),
    );
    expect(calls).toBeGreaterThan(0);
    expect(cells[0]).toMatchObject({ robustCorrect: 18, unverified: 18 });
  });
});

describe('a network whose logits are no numbers', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    '(%s) is refused, with the image: it would seem robust',
    async (bad) => {
      const honest = smallClassifier();
      const broken = {
        ...honest,
        logits: (x: tf.Tensor4D) => tf.fill([x.shape[0], honest.classes], bad) as tf.Tensor2D,
      };
      await expect(run({ contenders: [contender(broken)] })).rejects.toThrow(
        /small-1\/standard gives logits that are not finite for toy\/test\/0/,
      );
    },
  );
});

describe('a plan that cannot be carried out', () => {
  const refused: readonly [string, Partial<ExperimentPlan>, RegExp][] = [
    ['no images', { images: 0 }, /0 images: give a whole number, 1 to 20/],
    ['no radius', { epsilons: [] }, /no epsilon was given/],
    ['a radius beyond the box', { epsilons: [8] }, /epsilon 8: a radius is 0 or more, in Linf at most 1/],
    ['a radius that is no number', { epsilons: [Number.NaN] }, /epsilon NaN/],
    ['a radius twice', { epsilons: [0.1, 0.1] }, /epsilon 0.1 is given twice/],
    ['a norm that an attack does not know', { norm: 'L1' }, /wanderer does not attack in L1: it knows Linf, L2/],
    ['a target that is no class', { goal: { kind: 'targeted', target: 4 } }, /target 4: .* has 4 classes/],
    ['a network twice', { contenders: [contender(), contender()] }, /network small-1\/standard is given twice/],
    ['a gallery radius that is not measured', { galleryEpsilon: 0.7 }, /the gallery's epsilon 0.7 is none of/],
    ['no slot', { batch: 0 }, /batch is 0/],
    ['a network for other images', { contenders: [contender(smallClassifier(1, [2, 2, 1]))] }, /takes images of 2×2×1/],
    [
      'a network with too few classes',
      { contenders: [contender(smallClassifier(1, [4, 5, 1], 2))] },
      /knows 2 classes/,
    ],
  ];
  it.each(refused)('is refused: %s', async (_, given, message) => {
    await expect(run(given)).rejects.toThrow(message);
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pgdTraining from '../../defenses/pgd-training.ts';
import standard from '../../defenses/standard.ts';
import { compile } from '../../src/compile/compile.ts';
import { defineDefense, type TrainingContext } from '../../src/core/defense.ts';
import { UserError } from '../../src/core/errors.ts';
import { tf } from '../../src/tf.ts';
import { reflection } from '../../src/train/augmentations/reflection.ts';
import type { TrainingEvent } from '../../src/train/events.ts';
import { trainingFiles } from '../../src/train/files.ts';
import { TRAINING_DEFAULTS, type TrainingPlan } from '../../src/train/plan.ts';
import { weightsByName } from '../../src/train/snapshot.ts';
import { freshEpoch, saveState } from '../../src/train/state.ts';
import { train } from '../../src/train/train.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { tinyDataset, tinyHarness, tinyNetwork, tinyPlan } from './tiny.ts';

let folder: string;
let out: string;

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-train-'));
  out = join(folder, 'tiny.safetensors');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The weights of a checkpoint or a state, by name. */
async function tensorsOf(path: string): Promise<Record<string, unknown>> {
  return Object.fromEntries((await readSafetensors(path)).tensors);
}

describe('training', () => {
  it('lowers the loss and raises the accuracy', async () => {
    const plan = tinyPlan(standard, { epochs: 12, batch: 16, dataset: tinyDataset(100) });
    const { history, finished } = await train(plan, tinyHarness(out, { prepare: compile }));
    expect(finished).toBe(true);
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(history.at(-1)?.loss).toBeLessThan(0.6 * (history[0]?.loss ?? 0));
    expect(history.at(-1)?.accuracy).toBeGreaterThan(0.8);
  });

  it('against perturbed images lowers their loss too, and reports clean and robust accuracy', async () => {
    const changes = { epochs: 20, batch: 16, dataset: tinyDataset(100), params: { steps: 2 }, epsilon: 0.05 };
    const { history } = await train(tinyPlan(pgdTraining, changes), tinyHarness(out, { prepare: compile }));
    expect(history.at(-1)?.loss).toBeLessThan(0.6 * (history[0]?.loss ?? 0));
    expect(history.at(-1)?.accuracy).toBeGreaterThan(0.7);
    for (const { validation } of history) {
      expect(validation?.clean).toBeGreaterThanOrEqual(validation?.robust ?? 1);
    }
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const files = [];
    for (const [name, seed] of [
      ['a', 5],
      ['b', 5],
      ['c', 6],
    ] as const) {
      const path = join(folder, `${name}.safetensors`);
      await train(tinyPlan(pgdTraining, { epochs: 1, seed, params: { steps: 2 } }), tinyHarness(path));
      files.push(await tensorsOf(path));
    }
    expect(files[0]).toEqual(files[1]);
    expect(files[0]).not.toEqual(files[2]);
  });

  it('leaves the checkpoint and a log of one line per epoch, and no state', async () => {
    const events: TrainingEvent[] = [];
    const harness = tinyHarness(out, { onProgress: (event) => events.push(event), command: 'gibbon train --tiny' });
    const { history, files } = await train(tinyPlan(pgdTraining, { params: { steps: 1 } }), harness);
    const lines = (await readFile(files.log, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(history);
    expect(JSON.stringify((await readSafetensors(out)).metadata)).toContain('gibbon train --tiny');
    await expect(readFile(files.state)).rejects.toThrow(/ENOENT/);
    // 36 images, 4 held out, batches of 8, 2 epochs.
    expect(events.map(({ kind }) => kind).join(' ')).toBe(
      'start batch batch batch batch check epoch batch batch batch batch check epoch',
    );
  });

  it('logs the mean loss of the batches and the share of images classified correctly', async () => {
    const losses: number[] = [];
    const accuracies: number[] = [];
    const onProgress = (event: TrainingEvent) => {
      if (event.kind !== 'batch') return;
      losses.push(event.loss);
      accuracies.push(event.accuracy);
    };
    const { history } = await train(tinyPlan(standard), tinyHarness(out, { onProgress }));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(history[0]?.loss).toBeCloseTo(mean(losses.slice(0, 4)), 9);
    expect(history[1]?.loss).toBeCloseTo(mean(losses.slice(4)), 9);
    expect(history.map(({ accuracy }) => accuracy)).toEqual([accuracies[3], accuracies[7]]);
  });

  it('augments the images before the defense and its attack see them', async () => {
    const watching = defineDefense({
      ...standard,
      // The brightest pixel stands where the loss is told.
      trainingLoss: ({ x, perturb }) => {
        const brightest = x.max().maximum(perturb(request).max());
        return (model) => ({ loss: model(x).mean().mul(0).add(brightest) as tf.Scalar, logits: model(x) });
      },
    });
    const request = { attack: 'pgd', params: { steps: 1 } };
    const dark = { ...reflection, name: 'dark', params: {}, apply: (x: tf.Tensor4D): tf.Tensor4D => x.mul(0) };
    const changes = { epochs: 1, epsilon: 0.25, augmentations: [{ augmentation: dark, params: {} }] };
    const { history } = await train(tinyPlan(watching, changes), tinyHarness(out));
    expect(history[0]?.loss).toBe(0.25);
  });

  it('smooths labels and clips gradients where it is told to, and only there', async () => {
    const weightsOf = async (name: string, changes: Partial<TrainingPlan>) => {
      const path = join(folder, `${name}.safetensors`);
      await train(tinyPlan(standard, { epochs: 1, ...changes }), tinyHarness(path));
      return tensorsOf(path);
    };
    const plain = await weightsOf('plain', {});
    expect(await weightsOf('off', { labelSmoothing: 0, clip: 1e9 })).toEqual(plain);
    expect(await weightsOf('smoothed', { labelSmoothing: 0.1 })).not.toEqual(plain);
    expect(await weightsOf('clipped', { clip: 0.01 })).not.toEqual(plain);
  });

  it('shows a batch that is used again with the same augmentation, and all other chance anew', async () => {
    /** What is told in the place of the loss at each of 4 batches' 3 uses. */
    const told = async (name: string, tell: (context: TrainingContext) => tf.Tensor) => {
      const values: number[] = [];
      const telling = defineDefense({
        ...standard,
        replays: () => 3,
        trainingLoss: (context) => {
          const told = tell(context);
          return (model) => ({ loss: model(context.x).mean().mul(0).add(told) as tf.Scalar, logits: model(context.x) });
        },
      });
      const onProgress = (event: TrainingEvent) => {
        if (event.kind === 'batch') values.push(event.loss);
      };
      const augmentations = [{ augmentation: reflection, params: { share: 0.5 } }];
      const harness = tinyHarness(join(folder, `${name}.safetensors`), { onProgress });
      await train(tinyPlan(telling, { epochs: 1, augmentations }), harness);
      return values;
    };
    const columns = await told('columns', ({ x }) => x.slice([0, 0, 0, 0], [-1, -1, 1, -1]).sum());
    expect(columns).toEqual([0, 3, 6, 9].flatMap((batch) => Array(3).fill(columns[batch])));
    expect(new Set(columns).size).toBe(4);
    expect(new Set(await told('draws', ({ noise }) => noise([1], 'uniform').sum())).size).toBe(12);
  });

  it('on photographs of which some cannot be read goes on with the others', async () => {
    const losses: number[] = [];
    const onProgress = (event: TrainingEvent) => {
      if (event.kind === 'batch') losses.push(event.loss);
    };
    // It says that there are 52, of which 16 turn out not to be images: 32 are left beside the 4 that are held out.
    const dataset = { ...tinyDataset(36), size: 52 };
    const { history } = await train(tinyPlan(standard, { dataset, epochs: 1 }), tinyHarness(out, { onProgress }));
    expect(losses).toHaveLength(4);
    expect(history[0]?.loss).toBeCloseTo(losses.reduce((a, b) => a + b) / 4, 9);
  });

  it('on photographs of which hardly any can be read says so', async () => {
    const skipped = () => [{ id: 'a.jpg', why: 'it is damaged' }];
    const dataset = { ...tinyDataset(10), size: 52, skipped };
    await expect(train(tinyPlan(standard, { dataset }), tinyHarness(out))).rejects.toThrow(
      /^tiny has fewer than 8 images to learn from: too many files gave none \(a\.jpg: it is damaged\)/,
    );
  });

  it('leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    await train(tinyPlan(pgdTraining, { epochs: 1, params: { steps: 1 } }), tinyHarness(out));
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** A loss that is fine until the given batch of the training. */
function nanAtBatch(bad: number) {
  let batch = 0;
  return defineDefense({
    ...standard,
    name: 'nan',
    trainingLoss: (context) => (model) => {
      const { loss, logits } = standard.trainingLoss?.(context)(model) ?? {
        loss: tf.scalar(0),
        logits: tf.zeros([1, 1]),
      };
      // The rehearsal is the first call.
      return { loss: batch++ === bad ? loss.mul(Number.NaN) : loss, logits } as {
        loss: tf.Scalar;
        logits: tf.Tensor2D;
      };
    },
  });
}

describe('a training that fails', () => {
  it('stops at a loss that is no number, says where, and keeps the last good state', async () => {
    const plan = tinyPlan(nanAtBatch(6), { epochs: 3 });
    await expect(train(plan, tinyHarness(out))).rejects.toThrow(
      /no longer a number at epoch 2, batch 2 of 4: lower the learning rate \(0.1\) .* with another --out, or with this one's state deleted\. /,
    );
    const { state, failure } = trainingFiles(out);
    expect(JSON.parse(await readFile(failure, 'utf8'))).toMatchObject({
      ...{ epoch: 2, batch: 2, batches: 4, loss: 'NaN', state: { file: state, epoch: 1, batch: 0 } },
      ids: expect.arrayContaining([expect.stringMatching(/^tiny\/\d+$/)]),
    });
    expect(JSON.parse((await readSafetensors(state)).metadata.progress ?? '')).toMatchObject({ epoch: 1, batch: 0 });
    for (const { data } of (await readSafetensors(state)).tensors.values()) {
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    }
  });

  it('does not save a state that is no longer finite', async () => {
    const network = tinyNetwork();
    const weight = network.model.trainableWeights[0]?.read() as tf.Variable;
    weight.assign(tf.fill(weight.shape, Number.POSITIVE_INFINITY));
    const progress = { ...freshEpoch, command: '', epoch: 1, updates: 4, history: [] };
    const resting = { weights: weightsByName(network.model), slots: [], memory: {}, average: undefined, copies: {} };
    await expect(saveState(join(folder, 'x'), resting, {}, progress)).rejects.toThrow(
      /weight\/conv1\/kernel is no longer finite: lower the learning rate/,
    );
    network.dispose();
  });

  it('refuses a plan that makes no sense before it does anything', async () => {
    const refused: [Partial<TrainingPlan>, RegExp][] = [
      [{ epochs: 0 }, /epochs is 0; it must be a whole number, at least 1/],
      [{ batch: 1.5 }, /batch is 1.5/],
      [{ epsilon: 8 }, /epsilon is 8/],
      [{ rate: Number.NaN }, /rate is null|rate is NaN/],
      [{ momentum: 1 }, /momentum is 1/],
      [{ labelSmoothing: 2 }, /label smoothing is 2; it must be a number, 0 to 1/],
      [{ clip: 0 }, /clip is 0; it must be a number above 0, or null for none/],
      [{ batch: 64 }, /a batch of 64 does not fit/],
      [{ params: { stesp: 3 } }, /unknown parameter --pgd-training.stesp. Did you mean "steps"/],
      [{ params: { attack: 'pgdd' } }, /unknown attack "pgdd". Did you mean "pgd"/],
      [{ norm: 'L1', params: { attack: 'bim' } }, /bim does not attack in L1: it knows Linf, L2/],
      [{ defense: { ...standard, name: 'idle', trainingLoss: undefined } as never }, /idle has no training loss/],
      [
        { defense: { ...standard, adversarial: undefined } as never },
        /standard does not say whether it trains against/,
      ],
      [
        { defense: defineDefense({ ...standard, name: 'jpeg', wrap: (classifier) => ({ classifier }) }) as never },
        /jpeg trains nothing: gibbon experiment --defense jpeg measures/,
      ],
    ];
    for (const [changes, message] of refused) {
      const attempt = train(tinyPlan(pgdTraining, changes), tinyHarness(out));
      await expect(attempt).rejects.toThrow(message);
      await expect(attempt).rejects.toBeInstanceOf(UserError);
    }
    await expect(readFile(trainingFiles(out).state)).rejects.toThrow(/ENOENT/);
  });

  it('does not overwrite a checkpoint', async () => {
    await train(tinyPlan(standard, { epochs: 1 }), tinyHarness(out));
    await expect(train(tinyPlan(standard), tinyHarness(out))).rejects.toMatchObject({
      ...{ kind: 'usage', message: expect.stringContaining('exists; move it away') },
    });
  });

  it('does not overwrite the history of another training', async () => {
    const { log } = trainingFiles(out);
    await writeFile(log, 'history');
    await expect(train(tinyPlan(standard), tinyHarness(out))).rejects.toThrow(
      /tiny\.jsonl holds the history of another/,
    );
    expect(await readFile(log, 'utf8')).toBe('history');
  });

  it.each([
    [0, 1, 'before its first batch'],
    [0, 6, 'as it was after epoch 1'],
    [3, 1, 'as it was after batch 3 of epoch 1'],
    [6, 1, 'as it was after batch 2 of epoch 2'],
    [6, 4, 'as it was after epoch 2'],
  ])('aborted after %i batches, with NaN %i batches later, says which state it kept', async (done, bad, said) => {
    const controller = new AbortController();
    let seen = 0;
    const onProgress = ({ kind }: TrainingEvent) => {
      if (kind === 'batch' && ++seen === done) controller.abort();
    };
    const plan = (at: number) => tinyPlan(nanAtBatch(at), { epochs: 3 });
    if (done > 0) await train(plan(99), tinyHarness(out, { signal: controller.signal, onProgress }));
    const failing = train(plan(bad), tinyHarness(out, { resume: done > 0 }));
    await expect(failing).rejects.toThrow(`tiny.safetensors.state holds the network ${said}`);
  });

  it('finds a place that it cannot write to before the first batch', async () => {
    const events: TrainingEvent[] = [];
    const blocked = tinyHarness(join(out, 'below-a-file', 'x.safetensors'), { onProgress: (e) => events.push(e) });
    await train(tinyPlan(standard, { epochs: 1 }), tinyHarness(out));
    await expect(train(tinyPlan(standard), blocked)).rejects.toThrow(/cannot write/);
    expect(events).toEqual([]);
  });
});

it('the defaults are the recipe of the bundled checkpoints', () => {
  expect(TRAINING_DEFAULTS).toMatchObject({ epochs: 4, batch: 128, rate: 0.1, momentum: 0.9, norm: 'Linf' });
});

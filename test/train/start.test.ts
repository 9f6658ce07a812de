import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import standard from '../../defenses/standard.ts';
import { compile } from '../../src/compile/compile.ts';
import { UserError } from '../../src/core/errors.ts';
import { buildNetwork, type Network, specOf } from '../../src/models/network.ts';
import { weightsOf } from '../../src/models/weights.ts';
import { tf } from '../../src/tf.ts';
import { augmentationOf } from '../../src/train/augment.ts';
import type { TrainingEvent } from '../../src/train/events.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { type Start, startFrom } from '../../src/train/start.ts';
import { train } from '../../src/train/train.ts';
import { readSafetensors, type StoredTensor } from '../../src/weights/safetensors.ts';
import { tinyDataset, tinyHarness, tinyNetwork, tinyPlan, tinySpec } from './tiny.ts';

let folder: string;
let out: string;

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-start-'));
  out = join(folder, 'tiny.safetensors');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const HEAD = 'dense.';

async function tensorsOf(network: Network): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, read } of weightsOf(network.model)) {
    tensors.set(name, { dtype: 'F32', shape, data: await read() });
  }
  return tensors;
}

/** The weights of a network that has learned rows, columns and dots. */
let weights: ReadonlyMap<string, StoredTensor>;
beforeAll(async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'gibbon-start-'));
  const plan = tinyPlan(standard, { epochs: 12, batch: 16, dataset: tinyDataset(100) });
  const { files } = await train(plan, tinyHarness(join(elsewhere, 'first.safetensors'), { prepare: compile }));
  weights = await checkpoint(files.checkpoint);
  await rm(elsewhere, { recursive: true });
});

const start = (weights: ReadonlyMap<string, StoredTensor>, changes: Partial<Start> = {}): Start => ({
  ...{ weights, sha256: '00', source: 'first.safetensors', freeze: false },
  ...changes,
});

const planFrom = (from: Start, changes: Partial<TrainingPlan> = {}): TrainingPlan =>
  tinyPlan(standard, { epochs: 2, batch: 16, dataset: tinyDataset(100), rate: 0.05, start: from, ...changes });

const checkpoint = async (path = out): Promise<ReadonlyMap<string, StoredTensor>> =>
  (await readSafetensors(path)).tensors;

describe('going on from a trained network', () => {
  it('keeps all weights but those of the last layer, which are new and the seed’s', async () => {
    const [first, second] = [tinyNetwork(tinySpec, 1), tinyNetwork({ ...tinySpec, classes: 5 }, 2)];
    const old = await tensorsOf(first);
    const fresh = await tensorsOf(second);
    const begun = await tensorsOf(await startFrom(second, start(old)));
    for (const [name, tensor] of begun) expect(tensor).toEqual((name.startsWith(HEAD) ? fresh : old).get(name));
    expect([...begun.keys()].filter((name) => name.startsWith(HEAD))).toEqual(['dense.weight', 'dense.bias']);
    first.dispose();
    second.dispose();
  });

  it('learns sooner than from nothing', async () => {
    const whole = planFrom(start(weights), { epochs: 5 });
    const { history } = await train(whole, tinyHarness(out, { prepare: compile }));
    const { start: _, ...plan } = whole;
    const fresh = await train(plan, tinyHarness(join(folder, 'fresh.safetensors'), { prepare: compile }));
    expect(history.at(-1)?.loss).toBeLessThan(0.7 * (fresh.history.at(-1)?.loss ?? 0));
  });

  it('moves every weight, or none but the last layer’s where it is frozen, running statistics included', async () => {
    const movedBy = async (freeze: boolean, path: string): Promise<string[]> => {
      await train(planFrom(start(weights, { freeze })), tinyHarness(path, { prepare: compile }));
      const after = await checkpoint(path);
      return [...after]
        .filter(([name, { data }]) => String(data) !== String(weights.get(name)?.data))
        .map(([name]) => name);
    };
    expect(await movedBy(true, join(folder, 'frozen.safetensors'))).toEqual(['dense.weight', 'dense.bias']);
    expect((await movedBy(false, out)).sort()).toEqual([...weights.keys()].sort());
  });

  it('with a frozen network, compiled and eager training come to the same', async () => {
    const augmentations = [augmentationOf('translation', { pixels: 1 }), augmentationOf('reflection')];
    const plan = planFrom(start(weights, { freeze: true }), { augmentations });
    const compiled = await train(plan, tinyHarness(out, { prepare: compile }));
    const eager = await train(plan, tinyHarness(join(folder, 'eager.safetensors')));
    compiled.history.forEach(({ loss }, i) => {
      expect(loss).toBeCloseTo(eager.history[i]?.loss ?? 0, 4);
    });
  });

  it.each([true, false])('may be interrupted: the file is the same, bit for bit (frozen: %s)', async (freeze) => {
    const from = start(weights, { freeze });
    const augmentations = [augmentationOf('translation', { pixels: 1 }), augmentationOf('scale-jitter')];
    const plan = planFrom(from, { augmentations });
    const whole = join(folder, 'whole.safetensors');
    await train(plan, tinyHarness(whole));
    const controller = new AbortController();
    let seen = 0;
    const onProgress = ({ kind }: TrainingEvent) => {
      if (kind === 'batch' && ++seen === 3) controller.abort();
    };
    await train(plan, tinyHarness(out, { signal: controller.signal, onProgress }));
    const resumed = (changes: Partial<TrainingPlan>) =>
      train({ ...plan, ...changes }, tinyHarness(out, { resume: true }));
    await expect(resumed({ start: { ...from, sha256: '01' } })).rejects.toThrow(/start\.sha256 was "00" and is "01"/);
    await expect(resumed({ start: { ...from, freeze: !freeze } })).rejects.toThrow(/start\.freeze was/);
    await expect(resumed({ augmentations: augmentations.slice(0, 1) })).rejects.toThrow(/augmentations\.1\.name was/);
    const wider = [augmentationOf('translation', { pixels: 2 }), augmentationOf('scale-jitter')];
    await expect(resumed({ augmentations: wider })).rejects.toThrow(/augmentations\.0\.pixels was 1 and is 2/);
    await resumed({});
    expect((await readSafetensors(out)).sha256).toBe((await readSafetensors(whole)).sha256);
  });

  it('is refused where the weights are those of another network, by name', async () => {
    const fewer = new Map(weights);
    fewer.delete('conv1.weight');
    const failing = train(planFrom(start(fewer)), tinyHarness(out));
    await expect(failing).rejects.toThrow(/weights in first\.safetensors do not fit .*conv1\.weight is missing/);
    await expect(failing).rejects.toBeInstanceOf(UserError);
  });

  it('leaves out auxiliary classifiers', async () => {
    const spec = { ...specOf('googlenet', 'imagenet', [32, 32, 3], 3), width: 1 / 64 };
    const network = buildNetwork(spec, 0);
    const begun = await startFrom(network, start(await tensorsOf(network)));
    expect([network.trained.outputs.length, begun.trained.outputs.length]).toEqual([3, 1]);
    network.dispose();
  });

  it('leaks no tensor', async () => {
    const before = tf.memory().numTensors;
    await train(planFrom(start(weights), { epochs: 1 }), tinyHarness(out));
    expect(tf.memory().numTensors).toBe(before);
  });
});

import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pgdTraining from '../../defenses/pgd-training.ts';
import standard from '../../defenses/standard.ts';
import { eager } from '../../src/compile/eager.ts';
import { trainingRecord } from '../../src/core/training-record.ts';
import { loadWeights } from '../../src/models/load-weights.ts';
import type { Network } from '../../src/models/network.ts';
import { tf } from '../../src/tf.ts';
import { holdOut } from '../../src/train/batches.ts';
import type { TrainingEvent } from '../../src/train/events.ts';
import { trainingFiles } from '../../src/train/files.ts';
import { guardOf } from '../../src/train/guard.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { type TrainingHarness, type TrainingResult, train } from '../../src/train/train.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { tinyDataset, tinyHarness, tinyNetwork, tinyPlan, weightValues } from './tiny.ts';
import { unlearnAfter } from './unlearn.ts';

let folder: string;
let out: string;

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-kept-'));
  out = join(folder, 'tiny.safetensors');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The weights of the checkpoint, one after the other. */
async function savedValues(path = out): Promise<number[]> {
  const network = tinyNetwork(undefined, 99);
  loadWeights(network, (await readSafetensors(path)).tensors, path);
  const values = await weightValues(network);
  network.dispose();
  return values;
}

/** Trains, and looks at the weights after every event. */
async function watched(plan: TrainingPlan, harness: Partial<TrainingHarness> = {}) {
  let network: Network | undefined;
  const seen: { readonly event: TrainingEvent; readonly weights: readonly number[] }[] = [];
  const result = await train(
    plan,
    tinyHarness(out, {
      build: (spec, seed) => {
        network = tinyNetwork(spec, seed);
        return network;
      },
      onProgress: (event) =>
        seen.push({ event, weights: network?.model.weights.flatMap((weight) => [...weight.read().dataSync()]) ?? [] }),
      ...harness,
    }),
  );
  const weightsAt = (kind: TrainingEvent['kind']) =>
    seen.filter(({ event }) => event.kind === kind).map(({ weights }) => weights);
  return { result, events: seen.map(({ event }) => event), weightsAt };
}

/** 40 images held out, 8 batches of 12 an epoch: learns for three epochs, then unlearns. */
const spoiled = (changes: Partial<TrainingPlan> = {}): TrainingPlan =>
  tinyPlan(unlearnAfter(24), {
    ...{ epochs: 6, batch: 12, rate: 0.3, dataset: tinyDataset(136), epsilon: 0.02 },
    schedule: { name: 'constant', params: {} },
    ...{ validation: { images: 40, attack: 'pgd', params: { steps: 2 } }, guard: null },
    ...changes,
  });

const robust = ({ history }: TrainingResult) => history.map(({ validation }) => validation?.robust ?? Number.NaN);

describe('what is saved', () => {
  it('of a training against an adversary is its best epoch, bit for bit, and the checkpoint says which', async () => {
    const { result, weightsAt } = await watched(spoiled());
    const best = robust(result).indexOf(Math.max(...robust(result)));
    expect(best).toBeLessThan(4);
    expect(robust(result).at(-1)).toBeLessThan(robust(result)[best] ?? 0);
    expect(result.kept).toMatchObject({ why: 'best', batch: 8 });
    const kept = (result.kept?.epoch ?? 0) - 1;
    expect(robust(result)[kept]).toBe(robust(result)[best]);
    expect(await savedValues()).toEqual(weightsAt('epoch')[kept]);
    const { metadata } = await readSafetensors(out);
    const record = trainingRecord.parse(JSON.parse(metadata.record ?? ''));
    expect(record.kept).toEqual(result.kept);
    expect(record.history).toEqual(result.history.map(({ seconds: _, ...epoch }) => epoch));
    expect(record.defense).toEqual({ name: 'unlearning', params: {}, adversarial: true });
    expect(record.validation).toEqual({ images: 40, attack: 'pgd', params: { steps: 2 } });
    expect([record.norm, record.epsilon, record.epochs, record.batches]).toEqual(['Linf', 0.02, 6, 8]);
  });

  it('is the last epoch where that is asked for, and of plain training', async () => {
    const { result, weightsAt } = await watched(spoiled({ keep: 'last', epochs: 5 }));
    expect(result.kept).toEqual({ why: 'last', epoch: 5, batch: 8 });
    expect(await savedValues()).toEqual(weightsAt('epoch').at(-1));
    const plain = await train(tinyPlan(standard, { epochs: 1 }), tinyHarness(join(folder, 'plain.safetensors')));
    expect(plain.kept?.why).toBe('last');
  });

  it('is the last epoch of a training without an adversary, whatever it is called, and no guard ends it', async () => {
    const shaking = { ...unlearnAfter(24), adversarial: false };
    const guard = { images: 40, attack: 'pgd', params: { steps: 3 } };
    const { result, events } = await watched({ ...spoiled({ guard }), defense: shaking });
    expect(result.kept).toEqual({ why: 'last', epoch: 6, batch: 8 });
    expect(result.stopped).toBeUndefined();
    expect(events.some(({ kind }) => kind === 'check')).toBe(false);
    const { metadata } = await readSafetensors(out);
    expect(JSON.parse(metadata.record ?? '').defense.adversarial).toBe(false);
  });

  it('has its history beside it, even if an accident took that after the last state was saved', async () => {
    const plan = tinyPlan(standard, { epochs: 1 });
    const { log } = trainingFiles(out);
    // The state is saved at the end of the epoch, and then there is no way to write the log.
    const onProgress = ({ kind }: TrainingEvent) => kind === 'start' && mkdirSync(log);
    await expect(train(plan, tinyHarness(out, { onProgress }))).rejects.toThrow(/cannot write .*tiny\.jsonl/);
    await rmdir(log);
    const { history } = await train(plan, tinyHarness(out, { resume: true }));
    expect(history).toHaveLength(1);
    expect(JSON.parse(await readFile(log, 'utf8'))).toMatchObject({ epoch: 1 });
  });

  it('ends the training where patience does, and says so in the log and in the checkpoint', async () => {
    const { result, events } = await watched(spoiled({ patience: 2 }));
    const best = result.history.findLast((record) => record.best === true)?.epoch ?? 0;
    expect(result.stopped).toMatchObject({ why: 'patience', epoch: best + 2 });
    expect(result.history).toHaveLength(best + 2);
    expect(result.kept).toMatchObject({ why: 'best', epoch: best });
    expect(events.at(-1)).toEqual({ kind: 'stopped', stopped: result.stopped, kept: result.kept });
    const lines = (await readFile(result.files.log, 'utf8')).trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ stopped: result.stopped, kept: result.kept });
    expect(JSON.parse((await readSafetensors(out)).metadata.record ?? '').stopped).toEqual(result.stopped);
  });

  it('cannot be the best where nothing is held out to tell', async () => {
    const blind = { validation: { ...tinyPlan(standard).validation, images: 0 } };
    for (const changes of [{ keep: 'best' }, { patience: 3 }] as const) {
      const attempt = train(spoiled({ ...blind, ...changes }), tinyHarness(out));
      await expect(attempt).rejects.toThrow(/no image is held out to tell which epoch is better: give a --validation/);
    }
    expect((await train(spoiled({ ...blind, epochs: 1 }), tinyHarness(out))).kept?.why).toBe('last');
  });
});

describe('the guard', () => {
  const guarded = (changes: Partial<TrainingPlan> = {}) =>
    spoiled({ guard: { images: 40, attack: 'pgd', params: { steps: 3 } }, ...changes });

  it('rolls a training that collapses back to the most robust state it saw, and ends it', async () => {
    const { result, events, weightsAt } = await watched(guarded());
    expect(result.stopped?.why).toBe('fall');
    expect((result.stopped?.from ?? 0) - (result.stopped?.to ?? 1)).toBeGreaterThan(0.2);
    expect(result.history.length).toBeLessThan(6);
    const checks = events.flatMap((event) => (event.kind === 'check' ? event.check.manySteps : []));
    const safest = checks.indexOf(Math.max(...checks));
    expect(result.kept).toEqual({ why: 'rolled back', epoch: safest + 1, batch: 8 });
    expect(await savedValues()).toEqual(weightsAt('check')[safest]);
    expect(result.history.map((epoch) => epoch.checks?.map(({ manySteps }) => manySteps))).toEqual(
      checks.map((check) => [check]),
    );
  });

  it('lets it run where it is off', async () => {
    const { result, events } = await watched(spoiled());
    expect(result.history).toHaveLength(6);
    expect(events.some(({ kind }) => kind === 'check' || kind === 'stopped')).toBe(false);
  });

  it('changes no weight of a training that does not collapse', async () => {
    const healthy = { epochs: 2, epsilon: 0.02, keep: 'last' } as const;
    await train(tinyPlan(pgdTraining, { ...healthy, guard: null }), tinyHarness(join(folder, 'off.safetensors')));
    await train(tinyPlan(pgdTraining, healthy), tinyHarness(out));
    expect(await savedValues()).toEqual(await savedValues(join(folder, 'off.safetensors')));
  });

  it('looks four times an epoch, less often where that would cost too much, and not at plain training', async () => {
    const network = tinyNetwork();
    const plan = tinyPlan(pgdTraining, { batch: 20 });
    const heldOut = await holdOut(tinyDataset(60), 40);
    const looks = async (batches: number, changes: Partial<TrainingPlan> = {}) => {
      const guard = await guardOf({ ...plan, ...changes }, network, heldOut, batches, eager);
      return guard && Array.from({ length: batches }, (_, i) => i + 1).filter((batch) => guard.isDue(batch));
    };
    expect(await looks(468)).toEqual([117, 234, 351, 468]);
    expect(await looks(100)).toEqual([50, 100]);
    expect(await looks(7)).toEqual([7]);
    expect(await looks(468, { defense: standard })).toBeUndefined();
    expect(await looks(468, { guard: null })).toBeUndefined();
    network.dispose();
  });
});

describe('the average of the weights', () => {
  const averaging = (changes: Partial<TrainingPlan> = {}) =>
    tinyPlan(pgdTraining, { epochs: 3, ema: 0.8, keep: 'last', params: { steps: 1 }, ...changes });

  it('over all updates is what is saved', async () => {
    const { weightsAt } = await watched(averaging());
    const [initial, ...updated] = [...weightsAt('start'), ...weightsAt('batch')];
    let mean = [...(initial ?? [])];
    for (const [n, weights] of updated.entries()) {
      const decay = Math.min(0.8, (1 + n) / (10 + n));
      mean = mean.map((value, i) => decay * value + (1 - decay) * (weights[i] as number));
    }
    const saved = await savedValues();
    expect(updated).toHaveLength(12);
    expect(Math.max(...saved.map((value, i) => Math.abs(value - (mean[i] as number))))).toBeLessThan(1e-5);
    expect(saved).not.toEqual(weightsAt('batch').at(-1));
  });

  it('is what is validated, and leaves the weights themselves alone', async () => {
    const plan = averaging({ validation: { images: 12, attack: 'pgd', params: { steps: 1 } }, epochs: 2 });
    const { result, weightsAt } = await watched(plan);
    const network = tinyNetwork();
    loadWeights(network, (await readSafetensors(out)).tensors, out);
    const heldOut = await holdOut(plan.dataset, 12);
    const correct = heldOut.filter(({ image, label }) =>
      tf.tidy(
        () =>
          network.classifier
            .logits(tf.tensor4d(image, [1, 6, 6, 1]))
            .argMax(1)
            .dataSync()[0] === label,
      ),
    );
    network.dispose();
    expect(result.history.at(-1)?.validation?.clean).toBe(correct.length / 12);
    expect(weightsAt('epoch')).toEqual([weightsAt('batch')[2], weightsAt('batch')[5]]);
  });
});

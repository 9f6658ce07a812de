import { mkdtemp, type open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import pgdTraining from '../../defenses/pgd-training.ts';
import standard from '../../defenses/standard.ts';
import type { Dataset } from '../../src/core/dataset.ts';
import { tf } from '../../src/tf.ts';
import { trainingFiles } from '../../src/train/files.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { train } from '../../src/train/train.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { tinyDataset, tinyHarness, tinyPlan } from './tiny.ts';

/** What the disk has room for, in bytes: files are opened as usual, and writing beyond it fails as on a full disk. */
const disk = vi.hoisted(() => ({ room: Number.POSITIVE_INFINITY }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const opened: typeof open = async (...given) => {
    const file = await real.open(...given);
    const guarded = (method: 'write' | 'writeFile'): void => {
      const write = file[method].bind(file) as (...words: readonly unknown[]) => Promise<unknown>;
      Object.assign(file, {
        [method]: async (data: { readonly length: number }, ...rest: readonly unknown[]) => {
          disk.room -= data.length;
          if (disk.room >= 0) return write(data, ...rest);
          throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        },
      });
    };
    guarded('write');
    guarded('writeFile');
    return file;
  };
  return { ...real, open: opened };
});

let folder: string;
let out: string;

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-hard-'));
  out = join(folder, 'tiny.safetensors');
  disk.room = Number.POSITIVE_INFINITY;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const attempt = (changes: Partial<TrainingPlan>, harness = {}) =>
  train(tinyPlan(standard, changes), tinyHarness(out, harness));

describe('a training whose rate is absurd', () => {
  it('stops at the batch that brings about numbers that are none, names its images, and keeps the last good state', async () => {
    await expect(attempt({ rate: 1e6, epochs: 30 })).rejects.toThrow(
      /^the (loss is|weights are \(.+\)) no longer a number at epoch \d+, batch \d of 4: lower the learning rate \(1000000\)/,
    );
    const { failure, state } = trainingFiles(out);
    const told = JSON.parse(await readFile(failure, 'utf8'));
    expect(told.ids).toHaveLength(8);
    expect(told.ids.every((id: string) => /^tiny\/\d+$/.test(id))).toBe(true);
    expect(told.state.file).toBe(state);
    for (const { data } of (await readSafetensors(state)).tensors.values()) {
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a dataset from which nothing can be learned', () => {
  const refused: readonly [string, Dataset, RegExp][] = [
    ['of one class', { ...tinyDataset(), classes: ['cat'] }, /^tiny has the class cat alone: two at least/],
    ['of no class', { ...tinyDataset(), classes: [] }, /^tiny has no class/],
    ['without images', tinyDataset(0), /^a batch of 8 does not fit: tiny\/train has 0 images/],
    [
      'with a label beyond its classes',
      { ...tinyDataset(), classes: ['row', 'column'] },
      /^tiny: image tiny\/\d+ has the label 2, and there are 2 classes, from 0/,
    ],
  ];
  it.each(refused)('%s is refused in one line, and leaves no checkpoint', async (_what, dataset, message) => {
    for (const images of [0, 4]) {
      const failing = attempt({ dataset, validation: { images, attack: 'pgd', params: { steps: 1 } } });
      await expect(failing).rejects.toThrow(message);
      await expect(failing).rejects.not.toThrow(/\n/);
      expect((await readdir(folder)).filter((name) => !name.endsWith('.state'))).toEqual([]);
      await rm(trainingFiles(out).state, { force: true });
    }
  });
});

describe('on a disk that is full', () => {
  const FULL = /^cannot write .*tiny\.(safetensors(\.state)?|jsonl): no space left on device$/;

  it('a training says so before its first batch, and leaves nothing', async () => {
    disk.room = 1000;
    await expect(attempt({})).rejects.toThrow(FULL);
    expect(await readdir(folder)).toEqual([]);
  });

  it('a training that fills it keeps its last state whole, from which it goes on once there is room', async () => {
    const plan: Partial<TrainingPlan> = { defense: pgdTraining, params: { steps: 1 }, ema: 0.9 };
    const whole = await train(tinyPlan(standard, plan), tinyHarness(join(folder, 'whole.safetensors')));
    let batches = 0;
    const fill = ({ kind }: { readonly kind: string }): void => {
      if (kind === 'batch' && ++batches === 6) disk.room = 100;
    };
    await expect(attempt(plan, { saveEvery: 0, onProgress: fill })).rejects.toThrow(
      /^cannot write .*tiny\.safetensors\.state: no space left on device\. .*\.state holds the training .* with --resume$/,
    );
    expect((await readdir(folder)).filter((name) => name.startsWith('tiny')).sort()).toEqual([
      'tiny.jsonl',
      'tiny.safetensors.state',
    ]);
    disk.room = Number.POSITIVE_INFINITY;
    await attempt(plan, { resume: true });
    const [a, b] = await Promise.all([readSafetensors(out), readSafetensors(whole.files.checkpoint)]);
    expect(a.sha256).toBe(b.sha256);
  });
});

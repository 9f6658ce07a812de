import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../../src/compile/compile.ts';
import type { Provider } from '../../../src/compile/target.ts';
import { tf } from '../../../src/tf.ts';
import { type TrainingHarness, train } from '../../../src/train/train.ts';
import { readSafetensors, type Safetensors } from '../../../src/weights/safetensors.ts';
import { killedPlan } from '../../train/killed-plan.ts';
import { tinyHarness } from '../../train/tiny.ts';

let folder: string;

beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'gibbon-train-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A training with an average, a guard and validation, which all look at weights that are on the device. */
const trainOn = (provider: Provider, file: string, changes: Partial<TrainingHarness> = {}) => {
  const prepare: TrainingHarness['prepare'] = (fn, specs, options) => compile(fn, specs, { ...options, provider });
  return train(killedPlan(), tinyHarness(join(folder, file), { prepare, ...changes }));
};

const saved = (file: string): Promise<Safetensors> => readSafetensors(join(folder, file));

describe('a whole training on WebGPU', () => {
  it('leaves the weights that the CPU does, and no tensor', async () => {
    const before = tf.memory().numTensors;
    const found = await trainOn('webgpu', 'there.safetensors');
    const reference = await trainOn('cpu', 'here.safetensors');
    expect(tf.memory().numTensors).toBe(before);
    expect(found.history.map(({ accuracy, validation, checks }) => ({ accuracy, validation, checks }))).toEqual(
      reference.history.map(({ accuracy, validation, checks }) => ({ accuracy, validation, checks })),
    );
    const [there, here] = [await saved('there.safetensors'), await saved('here.safetensors')];
    expect([...there.tensors.keys()]).toEqual([...here.tensors.keys()]);
    for (const [name, { data }] of there.tensors) {
      const expected = here.tensors.get(name)?.data;
      const apart = Array.from(data as Float32Array, (value, i) => Math.abs(value - Number(expected?.[i])));
      expect(Math.max(...apart), name).toBeLessThan(1e-4);
    }
  });

  it('may be closed before what it left on the device is freed, and the process ends well', async () => {
    const program = join(import.meta.dirname, 'ends.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program]);
    expect(stdout).toBe('done\n');
  });

  it('goes on from where it was aborted to the very same weights', async () => {
    const controller = new AbortController();
    let batches = 0;
    const aborted = await trainOn('webgpu', 'resumed.safetensors', {
      signal: controller.signal,
      onProgress: ({ kind }) => {
        if (kind === 'batch' && ++batches === 6) controller.abort();
      },
    });
    expect(aborted.finished).toBe(false);
    await trainOn('webgpu', 'resumed.safetensors', { resume: true });
    expect((await saved('resumed.safetensors')).sha256).toBe((await saved('there.safetensors')).sha256);
  });
});

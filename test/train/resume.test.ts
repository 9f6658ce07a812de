import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pgd from '../../attacks/pgd.ts';
import free from '../../defenses/free.ts';
import pgdTraining from '../../defenses/pgd-training.ts';
import standard from '../../defenses/standard.ts';
import { compile } from '../../src/compile/compile.ts';
import type { Attack } from '../../src/core/attack.ts';
import type { Defense } from '../../src/core/defense.ts';
import { p } from '../../src/core/params.ts';
import { tf } from '../../src/tf.ts';
import type { TrainingEvent } from '../../src/train/events.ts';
import { trainingFiles } from '../../src/train/files.ts';
import type { TrainingPlan } from '../../src/train/plan.ts';
import { backendOfState } from '../../src/train/state.ts';
import { type TrainingHarness, train } from '../../src/train/train.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { killedPlan } from './killed-plan.ts';
import { attacks, tinyHarness, tinyPlan } from './tiny.ts';
import { unlearnAfter } from './unlearn.ts';

let folder: string;
let out: string;

beforeAll(() => tf.setBackend('cpu'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-train-'));
  out = join(folder, 'tiny.safetensors');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sha256Of = async (path: string): Promise<string> => (await readSafetensors(path)).sha256;

/** Aborts after the given number of batches. */
function abortAfter(batches: number): Partial<TrainingHarness> {
  const controller = new AbortController();
  let seen = 0;
  const onProgress = (event: TrainingEvent) => {
    if (event.kind === 'batch' && ++seen === batches) controller.abort();
  };
  return { signal: controller.signal, onProgress };
}

const withoutSeconds = (history: readonly object[]) => history.map((record) => ({ ...record, seconds: 0 }));

/** A process of its own with the training of `plan`. */
function startApart(...words: readonly string[]) {
  const program = join(import.meta.dirname, 'killed.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', program, out, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, ended: once(child, 'close') };
}

/** Killed without a warning after so many batches. */
async function killAfter(batches: number): Promise<void> {
  const { child, ended } = startApart();
  let seen = 0;
  child.stdout.on('data', (said: Buffer) => {
    seen += said.toString().split('batch').length - 1;
    if (seen >= batches) child.kill('SIGKILL');
  });
  expect(await ended).toEqual([null, 'SIGKILL']);
}

describe('an aborted training', () => {
  const plan = killedPlan;
  let undisturbed: { readonly sha256: string; readonly history: readonly object[] };

  beforeAll(async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'gibbon-train-'));
    const { history, files } = await train(plan(), tinyHarness(join(elsewhere, 'tiny.safetensors')));
    undisturbed = { history, sha256: await sha256Of(files.checkpoint) };
    await rm(elsewhere, { recursive: true });
  });

  // In the middle of an epoch, at the very end of one, at the start of the next.
  it.each([2, 4, 5])('after batch %i goes on to the very file of one that was not, bit for bit', async (batches) => {
    const aborted = await train(plan(), tinyHarness(out, abortAfter(batches)));
    expect(aborted.finished).toBe(false);
    const resumed = await train(plan(), tinyHarness(out, { resume: true, command: 'test --resume' }));
    expect(resumed.finished).toBe(true);
    expect(await sha256Of(out)).toEqual(undisturbed.sha256);
    expect(withoutSeconds(resumed.history)).toEqual(withoutSeconds(undisturbed.history));
  });

  it('goes on bit for bit where it is compiled, too', async () => {
    const compiled = (path: string, changes = {}) => tinyHarness(path, { prepare: compile, ...changes });
    const whole = await train(plan(), compiled(join(folder, 'whole.safetensors')));
    await train(plan(), compiled(out, abortAfter(6)));
    await train(plan(), compiled(out, { resume: true }));
    expect(await sha256Of(out)).toEqual(await sha256Of(whole.files.checkpoint));
  });

  it('that is killed in the middle of an epoch loses what it had not saved, and no bit of the result', async () => {
    await killAfter(6);
    const { metadata } = await readSafetensors(trainingFiles(out).state);
    const { epoch, batch, updates } = JSON.parse(metadata.progress ?? '');
    expect([epoch, updates >= 5, batch > 0]).toEqual([1, true, true]);
    const { child, ended } = startApart('resume');
    child.stdout.resume();
    expect(await ended).toEqual([0, null]);
    expect(await sha256Of(out)).toEqual(undisturbed.sha256);
  }, 60_000);

  it('is one process’s, and leaves no lock however it ends', async () => {
    const also: Promise<unknown>[] = [];
    const second = () => train(plan(), tinyHarness(out, { resume: true })).then(String, String);
    const { signal, onProgress } = abortAfter(2);
    const meddling = (event: TrainingEvent) => {
      if (event.kind === 'batch') also.push(second());
      onProgress?.(event);
    };
    await train(plan(), tinyHarness(out, { ...(signal ? { signal } : {}), onProgress: meddling }));
    expect(await Promise.all(also)).toEqual(
      new Array(2).fill(expect.stringContaining('.state is being written by another process')),
    );
    const locks = async () => (await readdir(folder)).filter((name) => name.endsWith('.lock'));
    expect(await locks()).toEqual([]);
    await expect(train({ ...plan(), seed: 6 }, tinyHarness(out, { resume: true }))).rejects.toThrow('seed');
    expect(await locks()).toEqual([]);
    await train(plan(), tinyHarness(out, { resume: true }));
    expect(await sha256Of(out)).toEqual(undisturbed.sha256);
    expect(await locks()).toEqual([]);
  });

  it('may be aborted and resumed again and again', async () => {
    await train(plan(), tinyHarness(out, abortAfter(1)));
    for (let i = 0; i < 3; i++) await train(plan(), tinyHarness(out, { resume: true, ...abortAfter(3) }));
    await train(plan(), tinyHarness(out, { resume: true }));
    expect(await sha256Of(out)).toEqual(undisturbed.sha256);
  });

  it('in the very batch in which it is stopped is not trained further', async () => {
    const stopping = (): TrainingPlan => ({
      ...plan(),
      defense: unlearnAfter(0),
      params: {},
      epochs: 4,
      patience: 1,
      rate: 0.3,
    });
    const whole = await train(stopping(), tinyHarness(join(folder, 'whole.safetensors')));
    expect(whole.stopped).toBeDefined();
    await train(stopping(), tinyHarness(out, abortAfter(4 * whole.history.length)));
    const resumed = await train(stopping(), tinyHarness(out, { resume: true }));
    expect(resumed.stopped).toEqual(whole.stopped);
    expect(await sha256Of(out)).toEqual(await sha256Of(whole.files.checkpoint));
  });
  // Of three uses of each batch: after the first, after the last, in the middle of a later batch and epoch.
  it.each([1, 3, 14])(
    'in the middle of what its defense remembers, after update %i, goes on bit for bit',
    async (updates) => {
      const remembering = () => tinyPlan(free, { epochs: 2, params: { replays: 3 } });
      const whole = await train(remembering(), tinyHarness(join(folder, 'whole.safetensors')));
      const aborted = await train(remembering(), tinyHarness(out, abortAfter(updates)));
      const delta = (await readSafetensors(aborted.files.state)).tensors.get('memory/delta');
      expect(delta?.shape).toEqual([8, 6, 6, 1]);
      expect(new Float32Array(delta?.data as Float32Array).some((value) => value !== 0)).toBe(true);
      await train(remembering(), tinyHarness(out, { resume: true }));
      expect(await sha256Of(out)).toEqual(await sha256Of(whole.files.checkpoint));
    },
  );

  it('saves its position and leaves no checkpoint', async () => {
    const { files } = await train(plan(), tinyHarness(out, abortAfter(6)));
    const { metadata } = await readSafetensors(files.state);
    expect(JSON.parse(metadata.progress ?? '')).toMatchObject({ epoch: 1, batch: 2 });
    await expect(readFile(files.checkpoint)).rejects.toThrow(/ENOENT/);
  });

  it('does not go on with another plan, and names the difference', async () => {
    await train(plan(), tinyHarness(out, abortAfter(1)));
    const resume = (changes: Partial<TrainingPlan>) =>
      train({ ...plan(), ...changes }, tinyHarness(out, { resume: true }));
    await expect(resume({ rate: 0.05 })).rejects.toThrow(/another training: rate was 0.1 and is 0.05/);
    await expect(resume({ ema: null })).rejects.toThrow(/ema was 0.9 and is null/);
    await expect(resume({ params: { steps: 2 } })).rejects.toThrow(/defense.steps was 1 and is 2/);
    await expect(resume({ schedule: { name: 'cosine', params: {} } })).rejects.toThrow(
      /schedule.name was "linear" and is "cosine"/,
    );
  });

  it('tells what computed it, so that the same can go on', async () => {
    await train(plan(), tinyHarness(out, abortAfter(1)));
    expect(await backendOfState(trainingFiles(out).state)).toBe('cpu');
    expect(await backendOfState(`${out}.not-there`)).toBeUndefined();
  });

  it('does not go on with other code, on another backend, or in another version', async () => {
    await train(plan(), tinyHarness(out, abortAfter(1)));
    const resume = (changes: Partial<TrainingPlan>, means: Partial<TrainingHarness> = {}) =>
      train({ ...plan(), ...changes }, tinyHarness(out, { resume: true, ...means }));
    const { name, adversarial, params: own } = pgdTraining;
    const defense = { ...standard, name, adversarial, params: own } as Defense;
    await expect(resume({ defense })).rejects.toThrow(/another training: defense.code was /);
    const other = (changes: Partial<Attack>) => ({
      attacks: new Map([...attacks, ['pgd', { ...attacks.get('pgd'), ...changes } as Attack]]),
    });
    await expect(resume(other({ step: (state) => state }))).rejects.toThrow(/attacks.pgd.code was /);
    const params = { ...pgd.params, random: p.boolean(false, 'start at a random point') };
    await expect(resume(other({ params }))).rejects.toThrow(/attacks.pgd.random was true and is false/);
    await expect(resume({}, { backend: 'onnx-cpu' })).rejects.toThrow(/backend was "cpu" and is "onnx-cpu"/);
    const { versions } = tinyHarness(out);
    for (const changed of [{ gibbon: '0.0.1' }, { commit: 'c0ffee' }, { packages: { tf: '2' } }]) {
      await expect(resume({}, { versions: { ...versions, ...changed } })).rejects.toThrow(/versions\.\w+(\.tf)? was/);
    }
  });

  it('is neither overwritten by a new one nor gone on with where there is none', async () => {
    await expect(train(plan(), tinyHarness(out, { resume: true }))).rejects.toThrow(/there is no .*\.state to go on/);
    await train(plan(), tinyHarness(out, abortAfter(1)));
    await expect(train(plan(), tinyHarness(out))).rejects.toThrow(/add --resume/);
  });
});

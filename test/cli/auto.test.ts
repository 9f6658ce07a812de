/** `--backend auto` in the program, where the home holds what trying backends has shown. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tryAll } from '../../src/backends/auto.ts';
import type { BackendName } from '../../src/backends/names.ts';
import type { Verdict } from '../../src/backends/verdict.ts';
import { main } from '../../src/cli/main.ts';
import { versionsHere } from '../../src/cli/surroundings.ts';
import { tellTrials } from '../../src/cli/tell-trials.ts';
import { parseRun } from '../../src/core/run.ts';
import { inWorkplace, listen, NETWORK } from './workplace.ts';

inWorkplace();

beforeEach(() => {
  vi.stubEnv('GIBBON_HOME', 'home');
  // A driver is named, so that there may be a graphics processor; and it is none.
  vi.stubEnv('VK_ICD_FILENAMES', '/nowhere.json');
  vi.stubEnv('VK_DRIVER_FILES', '');
});
afterEach(() => vi.unstubAllEnvs());

/** Writes what was found into the home, as a run before this one would have. */
const wasFound = (verdicts: Partial<Record<BackendName, object>>): Promise<readonly Verdict[]> =>
  tryAll({
    ...{ home: 'home', versions: versionsHere },
    tryOne: async (backend) => ({ backend, ...(verdicts[backend] ?? CRASHED) }) as Verdict,
  });

const CRASHED = { state: 'crashed', why: 'SIGSEGV' };
const worksIn = (stepSeconds: number) => ({ state: 'works', difference: 1e-7, stepSeconds });

async function attack(out: string, ...more: string[]) {
  const heard = listen();
  const words = [...NETWORK, '--attack', 'fgsm', '--images', '4', '--epsilon', '0.1', '--sanity', '0'];
  const code = await main(['experiment', ...words, '--out', out, ...more], heard.terminal);
  return { code, ...heard };
}

const provenanceOf = (out: string) => parseRun(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')), out).provenance;

describe('--backend auto', () => {
  it('says that another backend is broken, and measures with the one that is not', async () => {
    await wasFound({ 'onnx-cpu': worksIn(1) });
    const { code, err } = await attack('broken');
    expect(err[0]).toMatch(/^auto: onnx-cpu; onnx-webgpu crashes \(SIGSEGV\)/);
    expect(code).toBe(0);
    const { backend, backendDifference, device } = provenanceOf('broken');
    expect([backend, device]).toEqual(['onnx-cpu', undefined]);
    expect(backendDifference).toBeLessThan(1e-5);
    expect((await attack('quiet', '--quiet')).err.join()).not.toContain('auto');
  });

  it('gives up a backend that worked when it was tried and does not now', { timeout: 60_000 }, async () => {
    await wasFound({ 'onnx-cpu': worksIn(1), 'onnx-webgpu': worksIn(0.25) });
    const { code, err } = await attack('gone');
    expect(err[0]).toMatch(/^auto: onnx-webgpu \(4\.0 times as fast as onnx-cpu\)/);
    expect(err[1]).toMatch(/^auto: onnx-cpu after all, for --backend onnx-webgpu does not work here \(/);
    expect(code).toBe(0);
    expect(provenanceOf('gone').backend).toBe('onnx-cpu');
  });

  it('goes on with what began an interrupted run, whatever is faster by now', async () => {
    await attack('begun', '--backend', 'cpu', '--quiet');
    await wasFound({ 'onnx-cpu': worksIn(1), 'onnx-webgpu': worksIn(0.25) });
    const { code, err } = await attack('begun', '--resume');
    expect(code).toBe(0);
    expect(err.join()).not.toContain('auto');
    expect(provenanceOf('begun')).toMatchObject({ backend: 'cpu' });
    expect(provenanceOf('begun').backendDifference).toBeUndefined();
    expect(await attack('begun', '--resume', '--backend', 'onnx-cpu')).toMatchObject({
      code: 2,
      err: [expect.stringContaining('the backend differs')],
    });
  });
});

describe('trying backends', () => {
  it('is told of only where it takes long', async () => {
    const { terminal, err } = listen();
    const quick = tellTrials(terminal, 60_000);
    quick.onTrial('onnx-cpu');
    quick.end();
    expect(err).toEqual([]);
    vi.useFakeTimers();
    try {
      const slow = tellTrials(terminal, 2000);
      slow.onTrial('onnx-cpu');
      vi.advanceTimersByTime(2001);
      slow.onTrial('onnx-webgpu');
      slow.end();
      expect(err).toEqual(['onnx-cpu', 'onnx-webgpu'].map((name) => `trying ${name} in a process of its own`));
    } finally {
      vi.useRealTimers();
    }
  });
});

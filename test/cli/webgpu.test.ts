/** The program on WebGPU, without a graphics processor: Chromium comes with SwiftShader, which computes its graphics on the CPU. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tryAll } from '../../src/backends/auto.ts';
import { choose, LEAD } from '../../src/backends/choose.ts';
import { candidateOf, probe } from '../../src/backends/probe.ts';
import { versionsHere } from '../../src/cli/surroundings.ts';
import { attackOn, expectSame, JOB, PROGRAM } from './attack-on.ts';
import { makeWorkplace, type Workplace } from './workplace.ts';

const CHROMIUM = '/usr/lib/chromium';
const DRIVER = join(CHROMIUM, 'vk_swiftshader_icd.json');
const LOADER = join(CHROMIUM, 'libvulkan.so.1');
/** The driver by both of its names: the loader asks for the newer one first. */
const ON_SWIFTSHADER = { LD_LIBRARY_PATH: CHROMIUM, VK_ICD_FILENAMES: DRIVER, VK_DRIVER_FILES: DRIVER };

let work: Workplace;
beforeAll(async () => {
  work = await makeWorkplace();
});
afterAll(() => work.remove());

describe.skipIf(!existsSync(DRIVER) || !existsSync(LOADER))('on WebGPU', () => {
  it('an attack ends at the images that it ends at on the CPU, as far as rounding goes', {
    timeout: 240_000,
  }, async () => {
    const reference = await attackOn('onnx-cpu', work, 'onnx-cpu');
    expectSame(await attackOn('onnx-webgpu', work, 'onnx-webgpu', ON_SWIFTSHADER), reference);
  });

  it('is tried by auto, found right, and taken only if it is faster', { timeout: 300_000 }, async () => {
    for (const [name, value] of Object.entries(ON_SWIFTSHADER)) vi.stubEnv(name, value);
    try {
      const home = join(work.folder, 'home');
      const verdicts = await tryAll(
        // Shaders take their time to be compiled where the machine has other work.
        { home, versions: versionsHere, tryOne: (name) => probe(candidateOf(name), 200) },
        ['onnx-cpu', 'onnx-webgpu'],
      );
      const [cpu, webgpu] = ['onnx-cpu', 'onnx-webgpu'].map((name) => verdicts.find(({ backend }) => backend === name));
      // It may still take too long to be timed.
      expect(webgpu).toMatchObject({ state: expect.stringMatching(/^works$|^slow$/), difference: expect.any(Number) });
      const isFaster =
        webgpu?.state === 'works' && cpu?.state === 'works' && cpu.stepSeconds / webgpu.stepSeconds >= LEAD;
      expect(choose(verdicts)).toBe(isFaster ? 'onnx-webgpu' : 'onnx-cpu');
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('a graphics processor that is not there', () => {
  it('is one line that names the backend to take', { timeout: 60_000 }, async () => {
    const env = { ...process.env, VK_ICD_FILENAMES: '/nowhere.json', LD_LIBRARY_PATH: '' };
    const child = spawn(process.execPath, [PROGRAM, ...JOB, '--backend', 'onnx-cuda'], { cwd: work.folder, env });
    let said = '';
    child.stderr.on('data', (data) => {
      said += data;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code === 0) return;
    expect(said).toMatch(/gibbon: --backend onnx-cuda does not work here \(.*\): .*; --backend onnx-cpu does/);
    expect(code).toBe(1);
  });
});

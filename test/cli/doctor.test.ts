import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Machine, machineHere } from '../../src/backends/machine.ts';
import type { Verdict } from '../../src/backends/verdict.ts';
import { backendFindings } from '../../src/cli/doctor/backends.ts';
import { findingLines } from '../../src/cli/doctor/lines.ts';
import { publishedWeights, runtime, threads } from '../../src/cli/doctor/offers.ts';
import { TORCHVISION } from '../../src/weights/torchvision.ts';

it('doctor says how many threads there are, and that a number in the environment cannot be', () => {
  expect(threads('')).toMatchObject({ well: true });
  expect(threads('many')).toMatchObject({ well: false, found: expect.stringContaining('a whole number of threads') });
});

it('doctor says what ONNX Runtime was built with, and needs the CPU', () => {
  const cpu = { name: 'cpu', bundled: true };
  const built = runtime([cpu, { name: 'cuda', bundled: false }]);
  expect(built).toMatchObject({
    well: true,
    found: expect.stringMatching(/^CPU built in; WebGPU not built in; CUDA built in, but/),
  });
  expect(runtime([])).toMatchObject({ well: false });
});

describe('what doctor found', () => {
  const findings = [
    { name: 'node', found: 'v22.1.0, linux x64', well: true },
    {
      name: 'backend onnx-cuda',
      found: 'not here: no card is to be seen among all those',
      well: false,
      advice: 'buy one, or two of them',
    },
  ];

  it('stands in two columns, advice behind an arrow, and lines are no longer than the terminal', () => {
    expect(findingLines(findings, 64)).toEqual([
      '  node               v22.1.0, linux x64',
      '! backend onnx-cuda  not here: no card is to be seen among all',
      '                     those',
      '                     → buy one, or two of them',
    ]);
  });

  it('stands below its name in a narrow terminal', () => {
    expect(findingLines(findings, 32)).toEqual([
      '  node',
      '    v22.1.0, linux x64',
      '! backend onnx-cuda',
      '    not here: no card is to be',
      '    seen among all those',
      '    → buy one, or two of them',
    ]);
  });
});

describe('doctor on backends', () => {
  const machine: Machine = { ...machineHere('/nowhere', {}, 'linux'), hasNvidia: true, devices: ['NVIDIA H100'] };
  const works: Verdict = { state: 'works', backend: 'onnx-cpu', difference: 1.28e-7, stepSeconds: 0.0252 };
  const found = (name: string, verdicts: readonly Verdict[]) =>
    backendFindings(machine, verdicts).find((finding) => finding.name === `backend ${name}`);

  it('says what works, how far from the reference and how fast, and what auto takes', () => {
    const faster: Verdict = { ...works, backend: 'onnx-cuda', stepSeconds: 0.002 };
    expect(found('onnx-cpu', [works, faster])).toEqual({
      name: 'backend onnx-cpu',
      found: 'works: largest relative difference from the reference 1.3e-7, a step takes 25.2 ms',
      ...{ well: true, verdict: works },
    });
    expect(found('auto', [works, faster])?.found).toBe('takes onnx-cuda');
    expect(found('auto', [works])?.found).toBe('takes onnx-cpu');
  });

  it('says why the others do not work and how to get them, which keeps nobody from working', () => {
    const verdicts: Verdict[] = [works, { state: 'unavailable', backend: 'onnx-webgpu', why: 'no adapter' }];
    expect(found('onnx-webgpu', verdicts)).toMatchObject({
      ...{ found: 'does not work here (no adapter)', well: true, advice: expect.stringContaining('Vulkan') },
    });
    expect(found('onnx-cuda', verdicts)).toMatchObject({ found: expect.stringMatching(/^not here: /), well: true });
    const why = 'libcudnn.so.9: cannot open shared object file';
    const lacking = found('onnx-cuda', [works, { state: 'unavailable', backend: 'onnx-cuda', why }]);
    expect(lacking).toMatchObject({ well: true, advice: expect.stringMatching(/^install cuDNN 9/) });
  });

  it('fails where the processor itself computes something else, but not where it is merely slow', () => {
    const wrong: Verdict = { state: 'wrong', backend: 'onnx-cpu', difference: 0.5 };
    expect(found('onnx-cpu', [wrong])).toMatchObject({ well: false, found: expect.stringContaining('5.0e-1') });
    const slow: Verdict = { state: 'slow', backend: 'onnx-cpu', difference: 0, seconds: 30 };
    expect(found('onnx-cpu', [slow])).toMatchObject({ well: true });
  });
});

it('doctor names the published weights that are here, or says how to get them', () => {
  const home = mkdtempSync(join(tmpdir(), 'gibbon-doctor-'));
  try {
    expect(publishedWeights(home)).toMatchObject({ advice: expect.stringContaining('--weights imagenet') });
    const [first] = TORCHVISION;
    writeFileSync(join(home, first?.file ?? ''), '');
    expect(publishedWeights(home)).toMatchObject({ found: expect.stringContaining(first?.arch ?? '?') });
    expect(publishedWeights(home).advice).toBeUndefined();
  } finally {
    rmSync(home, { recursive: true });
  }
});

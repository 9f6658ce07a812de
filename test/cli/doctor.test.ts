import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
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

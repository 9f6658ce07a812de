/** The program on TensorFlow's own library: with one that stands in for it, and with the real one where it is set up. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAddon, hasAddon, SETUP, SETUP_VARIABLE } from '../../src/backends/tensorflow-package.ts';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { runTool } from '../../src/cli/setup/tool.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { fakeSetup } from '../backends/fake-addon.ts';
import { makeWorkplace, NETWORK, type Workplace } from './workplace.ts';

const PROGRAM = join(PACKAGE_ROOT, 'bin', 'gibbon.js');
const JOB = ['experiment', ...NETWORK, '--attack', 'pgd', '--pgd.steps', '3', '--epsilon', '0.1', '--images', '12'];

let work: Workplace;
let fake: string;
beforeAll(async () => {
  work = await makeWorkplace();
  fake = await fakeSetup({});
});
afterAll(async () => {
  await work.remove();
  await rm(fake, { recursive: true });
});

/** Runs a small experiment, and gives the adversarial images that it saved. */
async function attack(backend: string, out: string, environment = {}): Promise<Float32Array> {
  const words = ['--backend', backend, '--sanity', '0', '--save-images', 'all', '--early-stop=false', '--out', out];
  const { said } = await runTool(process.execPath, [PROGRAM, ...JOB, ...words], { folder: work.folder, environment });
  expect(said).toContain(`wrote ${out}`);
  const file = join(work.folder, out, 'images', 'vgg11', 'standard', 'pgd', '0.1.safetensors');
  const { tensors } = await readSafetensors(file);
  return tensors.get('adversarial')?.data as Float32Array;
}

/** Where a gradient is as good as zero, its sign is rounding: such a pixel may go the other way. */
function expectSame(found: Float32Array, reference: Float32Array): void {
  expect(found.length).toBe(reference.length);
  expect(found.length).toBeGreaterThan(0);
  const apart = found.filter((value, i) => Math.abs(value - (reference[i] ?? Number.NaN)) > 1e-4).length;
  expect(apart / found.length).toBeLessThan(0.01);
}

describe("on TensorFlow's own library an attack ends at the images that it ends at on ONNX Runtime", () => {
  it('with a library that stands in for it', async () => {
    expectSame(await attack('tensorflow', 'fake', { [SETUP_VARIABLE]: fake }), await attack('onnx-cpu', 'reference'));
  });

  it('with the real one', async ({ skip }) => {
    skip(!hasAddon(), `neither tfjs-node-gpu nor tfjs-node is here: ${SETUP} installs one`);
    expect(findAddon()).toContain('tfjs-node');
    expectSame(await attack('tensorflow', 'real'), await attack('onnx-cpu', 'onnx'));
  });
});

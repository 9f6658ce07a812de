/** The same small attack by the program on any backend, and what makes two of them the same. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';
import { runTool } from '../../src/cli/setup/tool.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { NETWORK, type Workplace } from './workplace.ts';

export const PROGRAM = join(PACKAGE_ROOT, 'bin', 'gibbon.js');
export const JOB = [
  'experiment',
  ...NETWORK,
  '--attack',
  'pgd',
  '--pgd.steps',
  '3',
  '--epsilon',
  '0.1',
  '--images',
  '12',
];

/** Runs a small experiment into the folder `out` of the workplace, and gives the adversarial images that it saved. */
export async function attackOn(
  backend: string,
  { folder }: Workplace,
  out: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Float32Array> {
  const words = ['--backend', backend, '--sanity', '0', '--save-images', 'all', '--early-stop=false', '--out', out];
  const { said, well } = await runTool(process.execPath, [PROGRAM, ...JOB, ...words], { folder, environment });
  expect(said).toContain(`wrote ${out}`);
  expect(well).toBe(true);
  const file = join(folder, out, 'images', 'vgg11', 'standard', 'pgd', '0.1.safetensors');
  const { tensors } = await readSafetensors(file);
  return tensors.get('adversarial')?.data as Float32Array;
}

/** Where a gradient is as good as zero, its sign is rounding: such a pixel may go the other way. */
export function expectSame(found: Float32Array, reference: Float32Array): void {
  expect(found.length).toBe(reference.length);
  expect(found.length).toBeGreaterThan(0);
  const apart = found.filter((value, i) => Math.abs(value - (reference[i] ?? Number.NaN)) > 1e-4).length;
  expect(apart / found.length).toBeLessThan(0.01);
}

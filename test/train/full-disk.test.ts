/** A disk that is really full: a small one in memory, where the machine lets one be mounted. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import standard from '../../defenses/standard.ts';
import { tf } from '../../src/tf.ts';
import { train } from '../../src/train/train.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { tinyHarness, tinyPlan } from './tiny.ts';

const MEGABYTE = 2 ** 20;

let folder: string;
let disk: string;
let isMounted = false;
// Here and not above, for what ends it runs only where a test does.
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'gibbon-disk-'));
  disk = join(folder, 'disk');
  mkdirSync(disk);
  isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0;
});
afterAll(() => {
  if (isMounted) spawnSync('umount', [disk]);
  rmSync(folder, { recursive: true, force: true });
});

/** Fills the disk to its last byte. */
function fill(path: string): void {
  try {
    writeFileSync(path, new Uint8Array(MEGABYTE));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

it('a training that finds its disk full keeps its last state whole, and goes on once there is room', async ({
  skip,
}) => {
  skip(!isMounted, 'no disk can be mounted here');
  const [out, filler] = [join(disk, 'tiny.safetensors'), join(disk, 'filler')];
  const plan = tinyPlan(standard, { epochs: 2 });
  const whole = await train(plan, tinyHarness(join(folder, 'whole.safetensors')));
  let batches = 0;
  const onProgress = ({ kind }: { readonly kind: string }): void => {
    if (kind === 'batch' && ++batches === 3) fill(filler);
  };
  await expect(train(plan, tinyHarness(out, { saveEvery: 0, onProgress }))).rejects.toThrow(
    /^cannot write .*tiny\.safetensors\.state: no space left on device\. .*tiny\.safetensors\.state holds the training .* repeat the command with --resume$/,
  );
  expect(readdirSync(disk).sort()).toEqual(['filler', 'tiny.safetensors.state']);
  rmSync(filler);
  await train(plan, tinyHarness(out, { resume: true }));
  const [resumed, unbroken] = await Promise.all([readSafetensors(out), readSafetensors(whole.files.checkpoint)]);
  expect(resumed.sha256).toBe(unbroken.sha256);
});

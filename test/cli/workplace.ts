/** A folder of its own for a test, with small untrained networks where the program looks for trained ones. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { checkpointPath } from '../../src/cli/checkpoints.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { type CheckpointMetadata, saveCheckpoint } from '../../src/models/checkpoint.ts';
import { buildNetwork, smallSpec } from '../../src/models/network.ts';

export const ARCH = 'vgg11';
const WIDTH = 1 / 64;
const DIGITS = { input: [28, 28, 1] as const, classes: Array.from({ length: 10 }, (_, i) => String(i)) };

export interface Workplace {
  readonly folder: string;
  remove(): Promise<void>;
}

/** With `checkpoints/mnist/vgg11-standard.safetensors`, random weights, a few thousand parameters. */
export async function makeWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'gibbon-work-'));
  await saveNetwork(join(folder, checkpointPath('mnist', ARCH, 'standard')));
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** Runs the tests of a file, or of a group, in a workplace of their own. */
export function inWorkplace(): void {
  const before = process.cwd();
  let work: Workplace;
  beforeAll(async () => {
    work = await makeWorkplace();
    process.chdir(work.folder);
  });
  afterAll(async () => {
    process.chdir(before);
    await work.remove();
  });
}

/** Such a network, with what its file says of it. */
export async function saveNetwork(path: string, said: Partial<CheckpointMetadata> = {}): Promise<void> {
  const metadata = { dataset: 'mnist', training: 'standard', command: 'made by a test', seed: 0, epochs: 0, ...said };
  const network = buildNetwork({ ...smallSpec(ARCH, DIGITS), width: WIDTH }, metadata.seed);
  await saveCheckpoint(path, network, metadata);
  network.dispose();
}

/** The flags that choose its network, and those that make a run short. */
export const NETWORK = ['--arch', ARCH, '--training', 'standard'];
export const SMALL = ['--images', '12', '--epsilon', '0,8/255,0.3'];

export interface Heard {
  readonly terminal: Terminal;
  /** What went to stdout and stderr, a line each. */
  readonly out: string[];
  readonly err: string[];
}

/** A terminal that remembers, as a pipe would. */
export function listen(): Heard {
  const out: string[] = [];
  const err: string[] = [];
  const terminal: Terminal = {
    print: (text) => out.push(text),
    note: (text) => err.push(text),
    live: () => undefined,
    ...{ isLive: false, colour: false, width: 100, liveWidth: 100 },
  };
  return { terminal, out, err };
}

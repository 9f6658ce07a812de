/**
 * A whole sweep over the radii, PGD-40 at the default grid of MNIST, beside PyTorch: as an experiment does it (slots, each
 * radius on what still stands), with every radius on its own, with neither, and as a plain PyTorch loop without early stop.
 *
 *     npx tsx bench/sweep.ts [NETWORK ...] [--images N] [--rounds N] [--batch B] [--seed S] [--clock wall|processor]
 *
 * All ways take turns in every round. PyTorch, with safetensors, is found through the PYTHON environment variable (default
 * `python3`); without it our figures stand alone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pgd from '../attacks/pgd.ts';
import { findCheckpoint } from '../src/cli/checkpoints.ts';
import { openContender } from '../src/cli/experiment/contenders.ts';
import { gridOf } from '../src/cli/experiment/grids.ts';
import { versionsHere } from '../src/cli/surroundings.ts';
import { parseNumber } from '../src/core/params.ts';
import { openDataset } from '../src/data/registry.ts';
import { planAttack } from '../src/evaluate/plan-attack.ts';
import { CLOCKS, type ClockName } from './sweep/clock.ts';
import { startLoop } from './sweep/loop.ts';
import type { SweepSpec } from './sweep/sweep.ts';
import { type Rounds, sweepTable } from './sweep/table.ts';
import { apart, bracketed, fixed, sweep } from './sweep/ways.ts';

const DATASET = 'mnist';
const NETWORKS = ['vgg16-standard', 'resnet18-standard', 'vgg16-adversarial'] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    batch: { type: 'string', default: '64' },
    seed: { type: 'string', default: '0' },
    clock: { type: 'string', default: 'wall' },
  },
});
const whole = (name: keyof typeof values, least: number): number => {
  const number = parseNumber(values[name]);
  if (number !== undefined && Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`--${name} must be a whole number, at least ${least}`);
};
const [images, rounds, batch, seed] = [whole('images', 1), whole('rounds', 1), whole('batch', 1), whole('seed', 0)];
const clockNamed = (name: string): ClockName => {
  if (name === 'wall' || name === 'processor') return name;
  throw new Error(`--clock ${name}: there are ${Object.keys(CLOCKS).join(', ')}`);
};
const clock = clockNamed(values.clock);
const unknown = positionals.find((name) => !NETWORKS.some((network) => network === name));
if (unknown !== undefined) throw new Error(`no network "${unknown}"; there are ${NETWORKS.join(', ')}`);

/** Images of the round before the first, by which code gets warm. */
const WARM_UP = 10;

const versions = versionsHere();
const planned = planAttack(pgd, { step: 0.01 }, new Map(), 'Linf');
const dataset = await openDataset(DATASET, 'test');

async function measure(network: string, folder: string): Promise<void> {
  const [architecture = '', training = ''] = network.split('-');
  const path = findCheckpoint(DATASET, architecture, training);
  if (path === undefined) throw new Error(`no checkpoint of ${network}`);
  const { contender } = await openContender({ kind: 'checkpoint', path, architecture, training }, {});
  const spec: SweepSpec = {
    ...{ contender, dataset, images, planned, seed, batch, clock },
    epsilons: gridOf(DATASET, 'Linf'),
  };
  const loop = await startLoop(spec, path, folder);
  const taken: { -readonly [Way in keyof Rounds]: Rounds[Way][number][] } = {
    bracketed: [],
    apart: [],
    fixed: [],
    loop: [],
  };
  for (const way of [bracketed, apart, fixed]) await sweep(way, { ...spec, images: WARM_UP }, versions);
  for (let round = 0; round < rounds; round++) {
    taken.bracketed.push(await sweep(bracketed, spec, versions));
    if (!('missing' in loop)) taken.loop.push(await loop.sweep());
    taken.apart.push(await sweep(apart, spec, versions));
    taken.fixed.push(await sweep(fixed, spec, versions));
  }
  if (!('missing' in loop)) loop.end();
  process.stdout.write(`${network}: ${images} images, medians of ${rounds} rounds, ${clock} time\n`);
  process.stdout.write(
    'missing' in loop
      ? `no PyTorch beside it (PYTHON names an interpreter that has torch and safetensors): ${loop.missing}\n`
      : `PyTorch ${loop.version}, ${loop.setting}\n`,
  );
  process.stdout.write(`\n${sweepTable(spec, taken).join('\n')}\n\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'gibbon-sweep-'));
try {
  for (const network of NETWORKS) {
    if (positionals.length === 0 || positionals.includes(network)) await measure(network, folder);
  }
} finally {
  await rm(folder, { recursive: true });
}

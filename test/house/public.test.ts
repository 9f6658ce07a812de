import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildNetwork,
  compile,
  type Dataset,
  type ExperimentPlan,
  type Harness,
  journalKey,
  journalParts,
  loadAttacks,
  loadCheckpoint,
  loadDefenses,
  openDataset,
  openJournal,
  parseRun,
  resolveParams,
  runExperiment,
  smallSpec,
  TRAINING_DEFAULTS,
  tf,
  train,
  UNTARGETED,
  type Versions,
} from 'gibbon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/cli/paths.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-public-'));
  await tf.setBackend('cpu');
});
afterAll(() => rm(folder, { recursive: true }));

const ARCH = 'vgg11';
const versions: Versions = { gibbon: '0.0.0', commit: null, packages: {} };

/** The first few of a dataset. */
const few = (dataset: Dataset, size: number): Dataset => ({
  ...dataset,
  size,
  stream: () => dataset.stream({ images: size }),
});

describe('with what the package exports alone', () => {
  it('an experiment is run, journal and all', async () => {
    const dataset = await openDataset('mnist', 'test');
    const pgd = (await loadAttacks()).get('pgd');
    if (pgd === undefined) throw new Error('pgd is gone');
    const spec = { ...smallSpec(ARCH, dataset), width: 1 / 64 };
    const { classifier, parameters, dispose } = buildNetwork(spec, 0);
    const architecture = { name: ARCH, title: 'VGG-11', year: 2014, idea: 'deep', parameters };
    const plan: ExperimentPlan = {
      attacks: [{ attack: pgd, params: resolveParams('pgd', pgd.params, { steps: 2 }) }],
      contenders: [{ architecture, training: 'none', classifier, sha256: 'seed 0' }],
      ...{ dataset, images: 8, epsilons: [0, 0.3], norm: 'Linf', goal: UNTARGETED },
      ...{ seed: 0, restarts: 1, batch: 8, galleryRows: 0 },
    };
    const means: Harness = {
      ...{ prepare: compile, backend: 'onnx-cpu', command: 'my program', config: {}, id: 'mine', versions },
    };
    const parts = await journalParts(plan, means);
    const key = journalKey(parts);
    const attempt = async () => {
      const journal = await openJournal(join(folder, 'journal.ndjson'), {
        key,
        parts,
        command: means.command,
        resume: true,
      });
      try {
        return await runExperiment(plan, { ...means, journal });
      } finally {
        await journal.close();
      }
    };
    const run = await attempt();
    expect(parseRun(JSON.parse(JSON.stringify(run)), 'run').cells).toHaveLength(2);
    expect((await attempt()).cells).toEqual(run.cells);
    dispose();
  });

  it('a network is trained against an attack', async () => {
    const dataset = few(await openDataset('mnist', 'train'), 32);
    const defense = (await loadDefenses()).get('pgd-training');
    if (defense === undefined) throw new Error('pgd-training is gone');
    const attacks = await loadAttacks();
    const out = join(folder, 'mine.safetensors');
    const network = { ...smallSpec(ARCH, dataset), width: 1 / 64 };
    const plan = { ...TRAINING_DEFAULTS, network, dataset, defense, attacks, epsilon: 0.3, params: { steps: 1 } };
    const small = { epochs: 1, batch: 16, validation: { ...TRAINING_DEFAULTS.validation, images: 0 } };
    const means = { prepare: compile, backend: 'onnx-cpu', versions, command: 'my program', out };
    expect((await train({ ...plan, ...small }, means)).finished).toBe(true);
    const { metadata, dispose } = await loadCheckpoint(out);
    expect(metadata.training).toBe('adversarial');
    dispose();
  });
});

describe('the public names', () => {
  const read = (file: string): string => readFileSync(join(PACKAGE_ROOT, 'src', file), 'utf8');
  const exported = [...read('index.ts').matchAll(/export (?:type )?\{([^}]*)\} from '\.\/([^']+)'/g)].flatMap(
    ([, names = '', file = '']) =>
      names
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter((name) => name !== '')
        .map((name) => ({ name, file })),
  );

  it('are found', () => {
    expect(exported.length).toBeGreaterThan(60);
    expect(exported).toContainEqual({ name: 'runExperiment', file: 'evaluate/experiment.ts' });
  });

  it.each(exported)('$name ($file) says what it is', ({ name, file }) => {
    const declaration = new RegExp(
      `([^\\n]*)\\n(?:export )?(?:declare )?(?:async )?(?:const|function|class|interface|type|\\* as) ${name}\\b`,
    );
    const before = declaration.exec(`\n${read(file)}`)?.[1];
    expect(before, `${name} is not declared in src/${file}`).toBeDefined();
    expect(before?.trim(), `write a sentence above ${name} in src/${file}`).toMatch(/\*\/$/);
  });
});

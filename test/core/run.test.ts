import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { parseRun, RUN_SCHEMA, type Run } from '../../src/core/run.ts';

const CELL: Run['cells'][number] = {
  arch: 'vgg16',
  training: 'standard',
  dataset: 'mnist',
  attack: 'pgd',
  params: { steps: 40, step: null },
  norm: 'Linf',
  epsilon: 0.3,
  goal: { kind: 'untargeted' },
  restarts: 1,
  images: 100,
  cleanCorrect: 99,
  robustCorrect: 90,
  robustCorrect8bit: 90,
  cleanAccuracy: 0.99,
  robustAccuracy: 0.9,
  robustAccuracy8bit: 0.9,
  wilson95: [0.82563, 0.94477],
  cleanWilson95: [0.94554, 0.99823],
  gradients: 3960,
  forwards: 200,
  unverified: 0,
  seconds: 1.5,
};

const RUN: Run = {
  schema: RUN_SCHEMA,
  id: 'a-run',
  command: 'gibbon --attack pgd',
  config: { attack: 'pgd' },
  provenance: {
    started: '2026-01-01T00:00:00Z',
    finished: '2026-01-01T00:00:10Z',
    gibbon: '0.1.0',
    node: '20.0.0',
    packages: { zod: '4.0.0' },
    commit: null,
    platform: 'linux-x64',
    cpu: 'a processor',
    cores: 2,
    backend: 'onnx-cpu',
    seed: 0,
    dataset: { name: 'mnist', split: 'test', images: 100, sha256: '00', labels: 'true labels' },
    weights: { 'vgg16/standard': '00' },
    phases: { attack: 9 },
    iteratePolicy: 'any iterate counts',
    galleryRule: 'the first ones',
  },
  architectures: [{ name: 'vgg16', title: 'VGG-16', year: 2014, idea: 'depth', parameters: 232_298 }],
  attacks: [{ name: 'pgd', title: 'PGD', paper: 'https://arxiv.org/abs/1706.06083', access: 'gradient' }],
  classes: ['0', '1'],
  cells: [CELL],
  worstCases: [
    {
      arch: 'vgg16',
      training: 'standard',
      norm: 'Linf',
      epsilon: 0.3,
      attacks: ['pgd'],
      images: 100,
      robustCorrect: 90,
      robustCorrect8bit: 90,
      robustAccuracy: 0.9,
      robustAccuracy8bit: 0.9,
      wilson95: [0.82563, 0.94477],
    },
  ],
  transfer: [
    {
      source: { arch: 'vgg16', training: 'standard' },
      target: { arch: 'vgg16', training: 'adversarial' },
      ...{ attack: 'pgd', norm: 'Linf', epsilon: 0.3, images: 95, fooled: 5, whiteBoxFooled: 9 },
      ...{ accuracy: 90 / 95, wilson95: [0.88, 0.98] },
    },
  ],
  checks: [{ name: 'large radius', verdict: 'pass', value: 0, threshold: 0.1, why: 'nothing withstands it' }],
  gallery: [],
};

const withCell = (change: Record<string, unknown>): unknown => ({ ...RUN, cells: [CELL, { ...CELL, ...change }] });

const AT = { arch: 'vgg16', training: 'standard', attack: 'pgd', norm: 'Linf', epsilon: 0.3 };

const withTrace = (given: object): unknown => ({
  ...RUN,
  traces: [{ ...AT, images: 99, before: 1, steps: [0, 40], fooled: [1, 9], ...given }],
});

const withFlip = (flip: object): unknown => ({
  ...RUN,
  confusions: [{ ...AT, images: 99, fooled: 1, flips: [flip], attacked: [9, 90] }],
});

const withConfusion = (given: object): unknown => ({
  ...RUN,
  confusions: [
    { ...AT, images: 99, fooled: 1, flips: [{ from: 0, to: 1, images: 1, of: 9 }], attacked: [9, 90], ...given },
  ],
});

describe('run.json', () => {
  it('is read as it was written', () => {
    expect(parseRun(JSON.parse(JSON.stringify(RUN)), 'run.json')).toEqual(RUN);
  });

  it('may say how attacks went', () => {
    expect(() => parseRun(withTrace({}), 'run.json')).not.toThrow();
    expect(() => parseRun(withFlip({ from: 0, to: 1, images: 1, of: 9 }), 'run.json')).not.toThrow();
  });

  it('may hold L2 and L1 radii above one, and targeted goals', () => {
    expect(() => parseRun(withCell({ norm: 'L2', epsilon: 3 }), 'run.json')).not.toThrow();
    expect(() => parseRun(withCell({ goal: { kind: 'targeted', target: 3 } }), 'run.json')).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['the file', null],
    ['the file', 'text'],
    ['schema', { ...RUN, schema: 'gibbon.run/2' }],
    ['id', { ...RUN, id: 3 }],
    ['cells', { ...RUN, cells: [] }],
    ['cells.1.robustAccuracy', withCell({ robustAccuracy: 1.5 })],
    ['cells.1.robustAccuracy', withCell({ robustAccuracy: null })],
    ['cells.1.epsilon', withCell({ epsilon: 8 })],
    ['cells.1.epsilon', withCell({ epsilon: -0.1 })],
    ['cells.1.norm', withCell({ norm: 'l2' })],
    ['cells.1.goal.kind', withCell({ goal: { kind: 'all' } })],
    ['cells.1.goal.target', withCell({ goal: { kind: 'targeted' } })],
    ['cells.1.images', withCell({ images: 0 })],
    ['cells.1.cleanCorrect', withCell({ cleanCorrect: 101 })],
    ['cells.1.robustCorrect', withCell({ robustCorrect: 100 })],
    ['cells.1.robustCorrect8bit', withCell({ robustCorrect8bit: 100 })],
    ['cells.1.cleanAccuracy', withCell({ cleanAccuracy: 0.98 })],
    ['cells.1.robustAccuracy', withCell({ robustAccuracy: 0.91 })],
    ['cells.1.gradients', withCell({ gradients: 0.5 })],
    ['cells.1.wilson95.1', withCell({ wilson95: [0.1, 1.1] })],
    ['cells.1.seconds', withCell({ seconds: -1 })],
    ['provenance.started', { ...RUN, provenance: { ...RUN.provenance, started: 'yesterday' } }],
    [
      'provenance.dataset.sha256',
      { ...RUN, provenance: { ...RUN.provenance, dataset: { ...RUN.provenance.dataset, sha256: 1 } } },
    ],
    ['transfer.0.images', { ...RUN, transfer: [{ ...RUN.transfer?.[0], images: 0 }] }],
    ['transfer.0.epsilon', { ...RUN, transfer: [{ ...RUN.transfer?.[0], epsilon: 8 }] }],
    ['transfer.0.source.training', { ...RUN, transfer: [{ ...RUN.transfer?.[0], source: { arch: 'vgg16' } }] }],
    ['attacks.0.paper', { ...RUN, attacks: [{ ...RUN.attacks[0], paper: 'http://example.org' }] }],
    ['attacks.0.access', { ...RUN, attacks: [{ ...RUN.attacks[0], access: 'all' }] }],
    ['traces.0.steps', withTrace({ fooled: [1] })],
    ['traces.0.steps', withTrace({ loss: { images: 1, low: [null], median: [1, 2], high: [1, 2] } })],
    ['traces.0.steps', withTrace({ steps: [1, 1] })],
    ['traces.0.fooled', withTrace({ fooled: [2, 1] })],
    ['traces.0.fooled', withTrace({ fooled: [1, 100] })],
    ['traces.0.before', withTrace({ fooled: [0, 9] })],
    ['traces.0.loss.images', withTrace({ loss: { images: 99, low: [0, 1], median: [0, 1], high: [0, 1] } })],
    ['perturbations.0.fooled', { ...RUN, perturbations: [{ ...AT, images: 9, fooled: 10, l2: Array(21).fill(1) }] }],
    ['confusions.0.fooled', withFlip({ from: 0, to: 1, images: 2, of: 9 })],
    ['confusions.0.flips', withFlip({ from: 0, to: 1, images: 1, of: 8 })],
    ['confusions.0.fooled', withConfusion({ fooled: 100, attacked: undefined })],
    ['confusions.0.attacked', withConfusion({ attacked: [9, 91] })],
    ['perturbations.0.l2', { ...RUN, perturbations: [{ ...AT, images: 9, fooled: 0, l2: [1, 2] }] }],
    ['confusions.0.flips', withFlip({ from: 0, to: 2, images: 1, of: 9 })],
    ['confusions.0.flips.0.of', withFlip({ from: 0, to: 1, images: 1, of: 0 })],
    ['checks.0.verdict', { ...RUN, checks: [{ ...RUN.checks[0], verdict: 'maybe' }] }],
  ])('is refused by the path of its first wrong field: %s', (path, value) => {
    const read = () => parseRun(value, 'reports/x/run.json');
    expect(read).toThrow(UserError);
    expect(read).toThrow(`reports/x/run.json is not a ${RUN_SCHEMA} file: ${path}: `);
  });
});

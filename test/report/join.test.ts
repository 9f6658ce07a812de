import { beforeAll, describe, expect, it } from 'vitest';
import type { Run, WorstCase } from '../../src/core/run.ts';
import { wilson95 } from '../../src/core/statistics.ts';
import { joinRuns } from '../../src/report/join/join.ts';
import type { Source } from '../../src/report/join/source.ts';
import { renderReport } from '../../src/report/page.ts';
import { slicesOf } from '../../src/report/slice.ts';
import { standingOf } from '../../src/report/worst-case.ts';
import { sampleRun } from './sample-run.ts';

const ABOUT = { id: 'both', command: 'gibbon report a b --out both' };

let whole: Run;
beforeAll(async () => {
  whole = await sampleRun({
    ...{ architectures: ['vgg16', 'resnet18'], epsilons: [0.1, 0.3], images: 200, galleryRows: 1 },
    ...{ checks: true, transfer: true, distances: true, histories: true, course: true },
  });
});

let files = 0;
const source = (run: Run, id: string): Source => ({
  ...{ run: { ...run, id }, path: `${id}/run.json` },
  sha256: String(files++),
});
const join = (...runs: readonly Run[]): Run =>
  joinRuns(
    runs.map((run, i) => source(run, 'abc'[i] ?? 'd')),
    ABOUT,
  );

/** The part of a run about what is chosen, as if only that had been measured. */
function part(
  run: Run,
  keeps: (row: { arch: string; training: string; attack?: string; epsilon?: number }) => boolean,
) {
  const kept = <T extends { arch: string; training: string }>(rows: readonly T[] | undefined): T[] =>
    (rows ?? []).filter(keeps);
  const cells = kept(run.cells);
  return {
    ...run,
    cells,
    worstCases: kept(run.worstCases),
    distances: kept(run.distances),
    traces: kept(run.traces),
    perturbations: kept(run.perturbations),
    confusions: kept(run.confusions),
    trainings: kept(run.trainings),
    gallery: kept(run.gallery),
    transfer: (run.transfer ?? []).filter(({ source: from }) => keeps(from)),
    attacks: run.attacks.filter(({ name }) => cells.some(({ attack }) => attack === name)),
    architectures: run.architectures.filter(({ name }) => cells.some(({ arch }) => arch === name)),
  };
}

const sorted = (rows: readonly unknown[] | undefined): string[] =>
  (rows ?? []).map((row) => JSON.stringify(row)).sort();

/** A worst case over these attacks, of so many images. */
const counted = (worst: WorstCase, attacks: readonly string[], correct: number): WorstCase => ({
  ...{ ...worst, attacks: [...attacks], robustCorrect: correct, robustAccuracy: correct / worst.images },
  wilson95: wilson95(correct, worst.images),
});

describe('runs of other networks', () => {
  const of = (name: string) => part(whole, ({ arch }) => arch === name);

  it('join into the run that had measured them all', () => {
    const joined = join(of('vgg16'), of('resnet18'));
    expect(joined.cells).toEqual(whole.cells);
    expect(joined.worstCases).toEqual(whole.worstCases);
    expect(joined.distances).toEqual(whole.distances);
    expect(joined.traces).toEqual(whole.traces);
    expect(joined.perturbations).toEqual(whole.perturbations);
    expect(joined.confusions).toEqual(whole.confusions);
    expect(joined.trainings).toEqual(whole.trainings);
    expect(sorted(joined.transfer)).toEqual(sorted(whole.transfer));
    expect(joined.architectures).toEqual(whole.architectures);
    expect(joined.gallery).toEqual(whole.gallery);
    expect(joined.checks).toEqual(whole.checks);
  });

  it('stand plain before robust, in whatever order the runs are named', () => {
    const [robust, plain] = ['adversarial', 'standard'].map((how) => part(whole, ({ training }) => training === how));
    const { cells } = join(robust as Run, plain as Run);
    expect([...new Set(cells.map(({ arch, training }) => `${arch}/${training}`))]).toEqual([
      ...['vgg16/standard', 'vgg16/adversarial', 'resnet18/standard', 'resnet18/adversarial'],
    ]);
  });

  it('keep what is known of each run, also of those that were joined before', () => {
    const [a, b, c] = [of('vgg16'), of('resnet18'), part(whole, ({ training }) => training === 'standard')];
    const two = join(a, b);
    const { sources, provenance, command } = joinRuns([source(two, 'two'), source({ ...c, config: {} }, 'a')], ABOUT);
    expect(command).toBe(ABOUT.command);
    expect(sources?.map(({ id }) => id)).toEqual(['a', 'b', 'a-2']);
    expect(sources?.map(({ provenance: of }) => of)).toEqual([whole, whole, whole].map((run) => run.provenance));
    expect(sources?.map(({ config }) => config)).toEqual([whole.config, whole.config, {}]);
    expect(provenance.phases.attack).toBeCloseTo(3 * (whole.provenance.phases.attack ?? 0));
  });

  it('say what differs of their machines, and then compare no speeds', () => {
    const other = {
      ...of('resnet18'),
      provenance: { ...whole.provenance, cpu: 'M1', finished: '2027-01-01T00:00:00Z' },
    };
    const joined = join(of('vgg16'), other);
    expect(joined.provenance).toMatchObject({ cpu: 'AMD EPYC 7B13, M1', finished: '2027-01-01T00:00:00Z' });
    expect(joined.performance).toBeUndefined();
    expect(join(of('vgg16'), of('resnet18')).performance).toHaveLength(4);
  });
});

describe('runs of other backends', () => {
  const on = (run: Run, facts: Partial<Run['provenance']>): Run => ({
    ...run,
    provenance: { ...whole.provenance, ...facts },
  });

  it('leave to each source what it computed on and how far that is from the reference', () => {
    const [a, b] = ['vgg16', 'resnet18'].map((arch) => part(whole, (row) => row.arch === arch)) as [Run, Run];
    const gpu = on(b, { backend: 'onnx-cuda', device: 'NVIDIA H100', backendDifference: 3e-6 });
    const factsOf = ({ provenance: { backend, device, backendDifference } }: Run) => [
      backend,
      device,
      backendDifference,
    ];
    expect(factsOf(join(on(a, { backendDifference: 1e-7 }), gpu))).toEqual([
      ...['onnx-cpu, onnx-cuda', undefined, undefined],
    ]);
    const alike = on(a, { backend: 'onnx-cuda', device: 'NVIDIA H100', backendDifference: 4e-6 });
    expect(factsOf(join(alike, gpu))).toEqual(['onnx-cuda', 'NVIDIA H100', 4e-6]);
    expect(factsOf(join(a, b))).toEqual(['onnx-cpu', undefined, undefined]);
  });
});

describe('runs of other attacks', () => {
  const NOISE = 'noise';
  const of = (name: string, worst: number): Run => {
    const run = part(whole, ({ attack }) => attack === undefined || attack === name || attack === NOISE);
    return { ...run, worstCases: run.worstCases.map((one) => counted(one, [name, NOISE], worst)) };
  };
  const standing = (run: Run) => {
    const [slice] = slicesOf(run);
    return slice && standingOf(run, slice, { arch: 'vgg16', training: 'standard' }, 0.1);
  };

  it('have the lowest worst case that one of them counted, and say that it may be lower', async () => {
    const lowest = Math.min(...whole.cells.map(({ robustCorrect }) => robustCorrect));
    const joined = join(of('fgsm', 5), of('pgd', Math.max(0, lowest - 1)));
    expect(sorted(joined.cells)).toEqual(sorted(whole.cells));
    expect(standing(joined)).toMatchObject({ worst: { share: Math.max(0, lowest - 1) / 200 }, perImage: false });
    expect(await renderReport(joined)).toContain('as one run took them together; counted image by image');
  });

  it('count image by image where one of them made all the attacks', () => {
    const joined = join(of('fgsm', 150), whole);
    expect(joined.worstCases).toHaveLength(whole.worstCases?.length ?? -1);
    expect(standing(joined)).toMatchObject({ perImage: true });
    // As low over fewer attacks says less.
    const fewer = (whole.worstCases ?? []).map((one) => ({ ...one, attacks: ['fgsm', NOISE] }));
    expect(standing(join({ ...of('fgsm', 0), worstCases: fewer }, whole))).toMatchObject({ perImage: true });
  });

  it('count nothing image by image where an attack of one name was made with two settings', () => {
    const longer = part(whole, ({ attack }) => attack !== 'fgsm');
    const cells = longer.cells.map((cell) => (cell.attack === 'pgd' ? { ...cell, params: { steps: 100 } } : cell));
    expect(standing(join(whole, { ...longer, cells }))).toMatchObject({ perImage: false, attacked: { length: 4 } });
  });

  it('have no worst case in a norm that two goals share, for it names none', () => {
    const cells = whole.cells.map((cell) => ({ ...cell, goal: { kind: 'targeted', target: 3 } as const }));
    expect(join(whole, { ...whole, transfer: [], cells }).worstCases).toBeUndefined();
  });
});

describe('what two runs measured', () => {
  it('stands there once if they agree', () => {
    expect(
      join(
        whole,
        part(whole, ({ epsilon }) => epsilon !== 0.3),
      ).cells,
    ).toEqual(whole.cells);
  });

  it('is refused by its name and both files if they do not', () => {
    const [cell, ...rest] = whole.cells;
    if (cell === undefined) throw new Error('no cells');
    const other = { ...whole, cells: [{ ...cell, robustCorrect: 7 }, ...rest] };
    expect(() => join(whole, other)).toThrow(
      /^a\/run\.json and b\/run\.json disagree on noise on vgg16 \(standard\), mnist, L∞ ε = 0\.1: .*, 7 under it/,
    );
    const unclean = { ...part(whole, ({ attack }) => attack !== 'fgsm') };
    const cells = unclean.cells.map((one) => ({ ...one, attack: 'other', cleanCorrect: 1 }));
    expect(() => join(whole, { ...unclean, cells })).toThrow(/disagree on vgg16 \(standard\) without attack, mnist/);
    const [nearest, ...farther] = whole.distances ?? [];
    if (nearest === undefined) throw new Error('no distances');
    const moved = [{ ...nearest, values: nearest.values.map(() => 1) }, ...farther];
    expect(() => join(whole, { ...whole, distances: moved })).toThrow(
      /disagree on the L2 distances of deepfool on vgg16/,
    );
  });

  it('is two networks where the weights of one name differ, and everything about them says which', async () => {
    const weights = { ...whole.provenance.weights, 'vgg16/standard': 'other' };
    const { defended: _, ...run } = whole;
    const joined = join(
      whole,
      { ...run, provenance: { ...whole.provenance, weights } },
      part(whole, ({ arch }) => arch === 'vgg16'),
    );
    const trainings = (rows: readonly { arch: string; training: string }[] = []): string[] =>
      [...new Set(rows.filter(({ arch }) => arch === 'vgg16').map(({ training }) => training))].sort();
    const apart = ['adversarial', 'standard/a', 'standard/b'];
    const courses = ['traces', 'perturbations', 'confusions'] as const;
    for (const name of ['cells', 'worstCases', 'distances', ...courses, 'trainings', 'gallery'] as const) {
      expect(trainings(joined[name]), name).toEqual(apart);
    }
    expect(trainings(joined.transfer?.flatMap(({ source: from, target }) => [from, target]))).toEqual(apart);
    expect(Object.keys(joined.provenance.weights).sort()).toEqual(
      [...apart.map((how) => `vgg16/${how}`), 'resnet18/adversarial', 'resnet18/standard'].sort(),
    );
    expect(joined.performance?.map(({ contender }) => contender)).toContain('vgg16/standard/b');
    expect(joined.cells).toHaveLength(whole.cells.length + whole.cells.length / 4);
    expect(await renderReport(joined)).toContain('standard/b');
  });
});

describe('runs that cannot stand in one table', () => {
  const changed = (provenance: Partial<Run['provenance']>): Run => ({
    ...whole,
    provenance: { ...whole.provenance, ...provenance },
  });
  const data = (dataset: Partial<Run['provenance']['dataset']>): Run =>
    changed({ dataset: { ...whole.provenance.dataset, ...dataset } });

  it.each([
    ['another dataset', () => data({ name: 'cifar10' }), /the dataset differs \(mnist test; cifar10 test\)/],
    ['other images', () => data({ selection: 'all 10000 images' }), /the images differ .*same --images/],
    ['other files', () => data({ sha256: 'f' }), /the SHA-256 of the data differs/],
    ['other labels', () => data({ labels: 'guessed' }), /the labels differ/],
    ['another seed', () => changed({ seed: 2 }), /the seed differs \(1; 2\)\. Measure them with the same --seed/],
    ['other classes', () => ({ ...whole, classes: ['a'] }), /the classes differ/],
    [
      'another network of one name',
      () => ({ ...whole, architectures: whole.architectures.map((one) => ({ ...one, parameters: 1 })) }),
      /disagree on the network vgg16: .*; VGG-16, 1 parameter\. In a joined run one name/,
    ],
    [
      'an attack of one name from another file',
      () => ({ ...whole, attacks: whole.attacks.map((one) => ({ ...one, sha256: 'a'.repeat(64) })) }),
      /disagree on the attack noise: .*; .*, from a file of SHA-256 a{64}\. In a joined run one name/,
    ],
  ])('are refused: %s', (_, other, message) => {
    expect(() => join(whole, other())).toThrow(message);
  });

  it('are refused when they are one and the same, or alone', () => {
    const one = source(whole, 'a');
    expect(() => joinRuns([one, { ...one, path: 'again' }], ABOUT)).toThrow(
      'a/run.json and again: they are the same run',
    );
    expect(() => joinRuns([one], ABOUT)).toThrow('nothing to join');
  });

  it('are not refused for images of the target class, which are left out with a target only', () => {
    const { selection } = whole.provenance.dataset;
    const other = data({ images: 180, selection: `${selection}; 20 images of class 3, the target, are left out` });
    const cells = whole.cells.map((cell) => ({ ...cell, goal: { kind: 'targeted', target: 3 } as const }));
    expect(join(whole, { ...other, cells }).provenance.dataset.images).toBe(200);
  });
});

it('the page of a joined run names its runs, and trusts none of their words', async () => {
  const evil = '<script>alert(1)</script>';
  const [a, b] = [source(whole, evil), source({ ...whole, command: evil, config: {} }, 'b')];
  const page = await renderReport(joinRuns([a, { ...b, sha256: 'cafe' }], ABOUT));
  expect(page).toContain('<section id="joined"');
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page).not.toContain(evil);
  expect(page).toContain('cafe');
  expect(await renderReport(whole)).not.toContain('id="joined"');
});

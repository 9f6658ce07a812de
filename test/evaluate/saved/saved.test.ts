import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import fgsm from '../../../attacks/fgsm.ts';
import pgd from '../../../attacks/pgd.ts';
import spatial from '../../../attacks/spatial.ts';
import { eager } from '../../../src/compile/eager.ts';
import type { Run } from '../../../src/core/run.ts';
import type { Kept, SavedImages } from '../../../src/core/saved.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { openJournal } from '../../../src/evaluate/journal/journal.ts';
import type { JournalRecord } from '../../../src/evaluate/journal/record.ts';
import { type Contender, type ExperimentPlan, Interrupted } from '../../../src/evaluate/plan.ts';
import { prepareJudge } from '../../../src/evaluate/pool/engine.ts';
import { type Checked, checkSaved } from '../../../src/evaluate/saved/check.ts';
import { attackFolder } from '../../../src/evaluate/saved/layout.ts';
import { tf } from '../../../src/tf.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../../../src/weights/safetensors.ts';
import { contender, harness, plan, planned, smallClassifier, together, walk } from '../fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-saved-'));
});
afterEach(() => rm(folder, { recursive: true }));

const saving = (kept: Kept, rounding: SavedImages['rounding'] = 'nearest', to = folder) => ({
  saving: { folder: to, kept, rounding },
});

const reopened = () => openJournal(join(folder, 'journal'), { key: 'k', command: 'gibbon experiment', resume: true });

const ATTACKS = [
  planned(pgd, { steps: 3, step: 0.03 }),
  planned(walk),
  together('both', [planned(fgsm), planned(pgd, { steps: 4, step: 0.02 })]),
];
const EPSILONS = [0, 0.03, 0.08];
const experiment = (given: Partial<ExperimentPlan> = {}): ExperimentPlan =>
  plan(ATTACKS, { epsilons: EPSILONS, galleryRows: 2, galleryEpsilon: 0.08, ...given });

/** Everything of a run that does not tell the time. */
const timeless = ({ cells, saved, gallery }: Run) => ({
  ...{ saved, gallery },
  cells: cells.map(({ seconds: _, ...rest }) => rest),
});

/** Every file below `images`, with its bytes. */
async function tree(root = folder): Promise<Record<string, string>> {
  const names = await readdir(join(root, 'images'), { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const read = files.map(async (path) => [path.slice(root.length), (await readFile(path)).toString('base64')]);
  return Object.fromEntries((await Promise.all(read)).sort());
}

async function check(run: Run, given: Contender = contender()): Promise<Checked[]> {
  const judge = await prepareJudge(eager, given.classifier, 8);
  const checked: Checked[] = [];
  for (const saved of run.saved ?? []) checked.push(await checkSaved(saved, { folder, run, contender: given, judge }));
  return checked;
}
const findings = async (run: Run, given?: Contender): Promise<readonly string[]> =>
  (await check(run, given)).flatMap((one) => one.findings);

const valuesOf = async ({ file }: SavedImages): Promise<Record<string, StoredTensor['data']>> =>
  Object.fromEntries([...(await readSafetensors(join(folder, file))).tensors].map(([name, { data }]) => [name, data]));

describe('saved images', () => {
  it.each([
    ['fooled', 'nearest'],
    ['all', 'inward'],
  ] as const)(
    'of %s, rounded %s, pass the check that anybody can repeat, and change no number',
    async (kept, rounding) => {
      const run = await runExperiment(experiment(), harness(saving(kept, rounding)));
      const plain = await runExperiment(experiment(), harness());
      expect({ ...timeless(run), saved: undefined }).toEqual(timeless(plain));
      expect(await findings(run)).toEqual([]);
      for (const { arch, attack, epsilon, images, fooled } of run.saved ?? []) {
        const cell = run.cells.find((one) => one.arch === arch && one.attack === attack && one.epsilon === epsilon);
        const fallen = (cell?.cleanCorrect ?? 0) - (cell?.robustCorrect ?? 0);
        expect([images, fooled]).toEqual([kept === 'all' ? cell?.cleanCorrect : fallen, fallen]);
      }
      // Every attack has fooled some images at the largest radius, or this test says little.
      expect(
        run.saved?.filter(({ epsilon, fooled }) => epsilon === 0.08 && fooled > 1).map(({ attack }) => attack),
      ).toEqual([...['pgd', 'walk', 'both']]);
    },
  );

  it('leave nothing but what the run names: no candidates, no temporary files', async () => {
    const { saved = [] } = await runExperiment(experiment(), harness(saving('fooled')));
    const files = Object.keys(await tree());
    expect(files.filter((file) => !file.endsWith('.png'))).toEqual(saved.map(({ file }) => `/${file}`).sort());
    const pictures = saved.flatMap(({ pictures, images }) => Array(images).fill(`/${pictures}`));
    expect(files.filter((file) => file.endsWith('.png')).map((file) => file.replace(/\/[^/]*$/, ''))).toEqual(
      pictures.sort(),
    );
  });

  it('that fell at a smaller radius are the same at a larger one', async () => {
    const { saved = [] } = await runExperiment(experiment({ galleryRows: 0 }), harness(saving('fooled', 'inward')));
    const [small, large] = await Promise.all(
      [0.03, 0.08].map((epsilon) =>
        valuesOf(saved.find((one) => one.attack === 'pgd' && one.epsilon === epsilon) as SavedImages),
      ),
    );
    const [index, later] = [Array.from(small?.index ?? [], Number), Array.from(large?.index ?? [], Number)];
    expect(index.length).toBeGreaterThan(0);
    const undone = Array.from(small?.rounded_fooled ?? [], Number);
    const stayed = index.filter((_, i) => undone[i] === 1);
    for (const image of stayed) {
      const [from, to] = [index.indexOf(image) * 20, later.indexOf(image) * 20];
      expect(large?.adversarial?.slice(to, to + 20)).toEqual(small?.adversarial?.slice(from, from + 20));
    }
  });

  it('rounded inward never leave the ball of a clean image of 8 bits', async () => {
    const grid = contender();
    const dataset = experiment().dataset;
    const onGrid = {
      ...dataset,
      stream: async function* (options: Parameters<typeof dataset.stream>[0]) {
        for await (const one of dataset.stream(options))
          yield { ...one, image: one.image.map((value) => Math.round(value * 255) / 255) };
      },
    };
    const given = experiment({ dataset: onGrid, contenders: [grid] });
    const { saved = [] } = await runExperiment(given, harness(saving('fooled', 'inward')));
    expect(saved.length).toBeGreaterThan(3);
    for (const { outsideRounded } of saved) expect(outsideRounded).toBe(0);
  });
});

describe('a run that is interrupted', () => {
  it.each([1, 3])('after every %i lines of its journal ends in the same files', async (limit) => {
    const other = await mkdtemp(join(tmpdir(), 'gibbon-saved-'));
    try {
      const whole = await runExperiment(experiment(), harness(saving('all', 'nearest', other)));
      const resumed = await inAttempts({ limit });
      expect(timeless(resumed)).toEqual(timeless(whole));
      expect(await tree()).toEqual(await tree(other));
      expect(await findings(resumed)).toEqual([]);
    } finally {
      await rm(other, { recursive: true });
    }
  });

  it('attacks again what its log of candidates has lost', async () => {
    const path = join(folder, attackFolder(contender(), 'pgd'), 'candidates.part');
    const whole = await runExperiment(experiment(), harness(saving('all')));
    const files = await tree();
    await rm(join(folder, 'images'), { recursive: true });
    const resumed = await inAttempts({ limit: 3, between: () => truncate(path, 1000).catch(() => undefined) });
    expect(timeless(resumed)).toEqual(timeless(whole));
    expect(await tree()).toEqual(files);
  });

  it('saves again what was damaged or taken away, though its journal says that it was saved', async () => {
    const journal = await reopened();
    const whole = await runExperiment(experiment(), harness({ ...saving('fooled'), journal }));
    await journal.close();
    const files = await tree();
    const [first, second] = whole.saved ?? [];
    await rm(join(folder, first?.file ?? ''));
    await writeFile(join(folder, second?.file ?? ''), 'nonsense');
    expect(timeless(await inAttempts({ kept: 'fooled' }))).toEqual(timeless(whole));
    expect(await tree()).toEqual(files);
  });

  it('does no finished work again: all is in the journal and in the files', async () => {
    const whole = await inAttempts({ kept: 'fooled' });
    const journal = await reopened();
    const nothing = Object.assign(() => Promise.reject(new Error('nothing is left to compute')), {
      release: async () => undefined,
    });
    const again = await runExperiment(
      experiment(),
      harness({ ...saving('fooled'), journal, prepare: async () => nothing as never }),
    );
    await journal.close();
    expect(timeless(again)).toEqual(timeless(whole));
  });

  interface Attempts {
    readonly kept?: Kept;
    /** Lines of the journal after which an attempt is stopped. */
    readonly limit?: number;
    /** What happens to the folder between two attempts. */
    readonly between?: () => Promise<unknown>;
  }

  /** Goes on with the run until it ends. */
  async function inAttempts({ kept = 'all', limit = Infinity, between }: Attempts): Promise<Run> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const journal = await reopened();
      let lines = 0;
      const stop = new AbortController();
      const append = async (record: JournalRecord): Promise<void> => {
        await journal.append(record);
        lines += 1;
        if (lines >= limit) stop.abort();
      };
      try {
        const means = { journal: { ...journal, append }, signal: stop.signal };
        return await runExperiment(experiment({ batch: 5 }), harness({ ...saving(kept), ...means }));
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        await between?.();
      } finally {
        await journal.close();
      }
    }
    throw new Error('it never ends');
  }
});

describe('the check of saved images', () => {
  let run: Run;
  let first: SavedImages;
  beforeEach(async () => {
    const strong = plan([planned(pgd, { steps: 3, step: 0.1 })], { epsilons: [0, 0.2] });
    run = await runExperiment(strong, harness(saving('fooled', 'inward')));
    first = run.saved?.find(({ epsilon }) => epsilon === 0.2) as SavedImages;
    run = { ...run, saved: [first] };
  });

  const path = (): string => join(folder, first.file);

  /** Writes the file anew with other values, and a run that believes in them. */
  async function forge(change: (values: Record<string, StoredTensor['data']>) => void): Promise<Run> {
    const { tensors, metadata } = await readSafetensors(path());
    change(Object.fromEntries([...tensors].map(([name, { data }]) => [name, data])));
    const sha256 = await writeSafetensors(path(), tensors, metadata);
    return { ...run, saved: [{ ...first, sha256 }] };
  }

  it('finds nothing in what was saved', async () => {
    expect(await check(run)).toEqual([
      {
        ...{ images: first.images, fooled: first.fooled, fooledRounded: first.fooledRounded },
        ...{ outsideRounded: first.outsideRounded, findings: [] },
      },
    ]);
  });

  it('finds a wrong number of pictures outside the ball', async () => {
    const outsideRounded = first.outsideRounded + 1;
    expect(await findings({ ...run, saved: [{ ...first, outsideRounded }] })).toEqual([
      `${first.outsideRounded} of their pictures have left the ball; run.json says ${outsideRounded}`,
    ]);
  });

  it('finds a byte that was changed, wherever it is', async () => {
    const whole = await readFile(path());
    for (const at of [3, 40, whole.length >> 1, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(path(), damaged);
      expect(await findings(run), `byte ${at}`).not.toEqual([]);
    }
  });

  it.each([
    [
      'a pixel outside the ball',
      ({ adversarial, clean }: Forged) => set(adversarial, 0, Number(clean?.[0]) > 0.5 ? 0.2 : 0.8),
      /1 of its adversarial images: outside the ball/,
    ],
    [
      'a pixel outside the box',
      ({ adversarial }: Forged) => set(adversarial, 0, 1.5),
      /1 of its adversarial images: outside the box/,
    ],
    [
      'a pixel that is no number',
      ({ adversarial }: Forged) => set(adversarial, 0, Number.NaN),
      /1 of its adversarial images: not finite/,
    ],
    [
      'the clean image for the adversarial one',
      ({ adversarial, clean }: Forged) => {
        for (let i = 0; i < 20; i++) set(adversarial, i, Number(clean?.[i]));
      },
      /are adversarial; run\.json says/,
    ],
    [
      'another prediction',
      ({ prediction }: Forged) => set(prediction, 0, Number(prediction?.[0]) ^ 1),
      /1 of its predictions: not the network’s/,
    ],
    ['another label', ({ label }: Forged) => set(label, 0, Number(label?.[0]) ^ 1), /1 of its clean images: not what/],
    ['one image twice', ({ index }: Forged) => set(index, 1, Number(index?.[0])), /1 of its images: out of order/],
    [
      'pictures said to fool that do not',
      ({ rounded_fooled }: Forged) => set(rounded_fooled, 0, Number(rounded_fooled?.[0]) ^ 1),
      /1 of its images: when rounded, not what/,
    ],
  ])('finds %s, in a file whose hash the run confirms', async (_, change, finding) => {
    expect((await findings(await forge(change))).join('\n')).toMatch(finding);
  });

  it('finds a moved image that is not in its pose', async () => {
    const images = plan([planned(spatial, { shifts: 3, turns: 3 })], { norm: 'spatial', epsilons: [0, 3, 6] });
    run = await runExperiment(images, harness(saving('fooled')));
    expect(run.saved?.length).toBe(2);
    expect(await findings(run)).toEqual([]);
    first = run.saved?.find(({ epsilon }) => epsilon === 3) as SavedImages;
    const forged = await forge(({ pose }) => set(pose, 2, Number(pose?.[2]) - 0.1));
    expect((await findings(forged)).join('\n')).toMatch(/1 of its adversarial images: not in their pose/);
  });

  it('finds counts that the run does not have', async () => {
    const cells = run.cells.map((cell) => ({ ...cell, robustCorrect: cell.robustCorrect - 1 }));
    expect((await findings({ ...run, cells })).join()).toMatch(/are adversarial; run\.json says/);
    expect((await findings({ ...run, cells: cells.filter(({ attack }) => attack !== 'pgd') })).join()).toMatch(
      /no such attack/,
    );
  });

  it('finds pictures that are missing or others', async () => {
    const [one = '', two = '', three = ''] = (await readdir(join(folder, first.pictures))).map((name) =>
      join(folder, first.pictures, name),
    );
    await writeFile(one, await readFile(two));
    await rm(three);
    expect(await findings(run)).toEqual(['2 of its pictures: missing, or of something else']);
  });

  it('finds that the weights are those of another network, by their hash', async () => {
    const other = { ...contender(smallClassifier(5)), training: 'standard' };
    expect((await findings(run, other)).join()).toMatch(/its weights is weights of small-1, not weights of small-5/);
  });

  it('takes a file that is none, is cut short, or claims to be huge for a finding', async () => {
    const whole = await readFile(path());
    const huge = Buffer.from(whole);
    huge.writeBigUInt64LE(2n ** 60n, 0);
    for (const bytes of [Buffer.alloc(0), Buffer.from('PK'), whole.subarray(0, 200), whole.subarray(0, -4), huge]) {
      await writeFile(path(), bytes);
      const [checked] = await check(run);
      expect(checked?.images).toBe(0);
      expect(checked?.findings.join()).toMatch(/not a whole safetensors file/);
    }
    await writeSafetensors(path(), new Map([['index', { dtype: 'I32', shape: [2], data: Int32Array.of(1, 2) }]]));
    expect((await findings(run)).join()).toMatch(/no file of saved images: its adversarial is missing/);
    await rm(path());
    expect((await findings(run)).join()).toMatch(/no such file/);
  });
});

type Forged = Record<string, StoredTensor['data']>;

function set(values: StoredTensor['data'] | undefined, i: number, value: number): void {
  if (values === undefined || values instanceof BigInt64Array) throw new Error('no such numbers');
  values[i] = value;
}

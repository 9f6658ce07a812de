import { appendFile, mkdtemp, open as openFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import fgsm from '../../../attacks/fgsm.ts';
import pgd from '../../../attacks/pgd.ts';
import { UserError } from '../../../src/core/errors.ts';
import type { Run } from '../../../src/core/run.ts';
import { runExperiment } from '../../../src/evaluate/experiment.ts';
import { journalParts } from '../../../src/evaluate/experiment-parts.ts';
import { type Journal, openJournal } from '../../../src/evaluate/journal/journal.ts';
import { journalKey } from '../../../src/evaluate/journal/parts.ts';
import type { JournalRecord } from '../../../src/evaluate/journal/record.ts';
import { type Harness, Interrupted, type PlannedAttack } from '../../../src/evaluate/plan.ts';
import { tf } from '../../../src/tf.ts';
import {
  contender,
  customAttack,
  harness,
  plan,
  planned,
  smallClassifier,
  smallDataset,
  together,
  walk,
} from '../fixtures.ts';

beforeAll(() => tf.setBackend('cpu'));

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gibbon-journal-'));
  path = join(folder, 'journal.ndjson');
});
afterEach(() => rm(folder, { recursive: true }));

const clean: JournalRecord = { kind: 'clean', contender: 'a/b', labels: [1, 2], predicted: [1, 3], seconds: 0.5 };
const outcomes: JournalRecord = {
  ...{ kind: 'outcomes', contender: 'a/b', attack: 'pgd', seconds: 1 },
  rows: [[0, 1, 1, 0, 0, 40, 1]],
};

const open = (resume: boolean, key = 'k', command = 'gibbon experiment'): Promise<Journal> =>
  openJournal(path, { key, command, resume });
async function write(records: readonly JournalRecord[], key = 'k', resume = true): Promise<void> {
  const journal = await open(resume, key);
  for (const record of records) await journal.append(record);
  await journal.close();
}
async function read(key = 'k', resume = true): Promise<readonly JournalRecord[]> {
  const journal = await open(resume, key);
  await journal.close();
  return journal.records;
}

describe('a journal', () => {
  it('gives back what was appended, over several openings', async () => {
    await write([clean]);
    await write([outcomes]);
    expect(await read()).toEqual([clean, outcomes]);
    expect(await readdir(folder)).toEqual(['journal.ndjson']);
  });

  it('that is there is not begun anew: it may be that of a run under way', async () => {
    await write([clean]);
    await expect(read('k', false)).rejects.toMatchObject({ kind: 'usage', message: /is there already/ });
    expect(await read()).toEqual([clean]);
  });

  it('begun by two runs at once is that of one', async () => {
    const both = await Promise.allSettled([open(false), open(false)]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const one of both) if (one.status === 'fulfilled') await one.value.close();
  });

  it('is one run’s as long as it is open, also where others would go on with it', async () => {
    await write([clean]);
    const journal = await open(true);
    await expect(open(true)).rejects.toMatchObject({ kind: 'usage', message: /is being written by another process/ });
    await journal.append(outcomes);
    await journal.close();
    expect(await read()).toEqual([clean, outcomes]);
    await expect(open(true, 'another')).rejects.toThrow('belongs to another run');
    expect(await readdir(folder)).toEqual(['journal.ndjson']);
  });

  it('knows whether any attack came to a result', async () => {
    const journal = await open(false);
    await journal.append(clean);
    expect(journal.holdsResults()).toBe(false);
    await journal.append(outcomes);
    expect(journal.holdsResults()).toBe(true);
    await journal.close();
    const again = await open(true);
    expect(again.holdsResults()).toBe(true);
    await again.close();
  });

  it('keeps the time and the command of the first beginning', async () => {
    const first = await open(false);
    await first.close();
    await new Promise((wake) => setTimeout(wake, 5));
    const second = await open(true, 'k', 'gibbon experiment --resume');
    await second.close();
    expect([second.started, second.command]).toEqual([first.started, 'gibbon experiment']);
  });

  it('loses no whole line to a crash, at whatever byte it comes, and can go on from there', async () => {
    await write([clean, outcomes]);
    const whole = await readFile(path);
    const ends = [...whole.entries()].flatMap(([i, byte]) => (byte === 10 ? [i + 1] : []));
    expect(ends).toHaveLength(3);
    for (let length = 0; length <= whole.length; length += 3) {
      await writeFile(path, whole.subarray(0, length));
      const kept = ends.slice(1).filter((end) => end <= length).length;
      expect(await read()).toEqual([clean, outcomes].slice(0, kept));
      await write([outcomes]);
      expect(await read()).toEqual([...[clean, outcomes].slice(0, kept), outcomes]);
    }
  });

  it('cuts off a last line that is torn, though it has its line break', async () => {
    await write([clean]);
    await appendFile(path, '{"kind":"outco\n');
    expect(await read()).toEqual([clean]);
    expect((await readFile(path, 'utf8')).endsWith('}\n')).toBe(true);
  });

  it.each([
    ['in the middle, torn', 3, '{"kind":"outco'],
    ['in the middle, of a kind that nobody knows', 3, '{"kind":"secret"}'],
    ['in the middle, of the wrong shape', 3, '{"kind":"outcomes"}'],
    ['at the top, torn', 1, '{"schema":"gibb'],
    ['at the top, of another schema', 1, '{"schema":"gibbon.journal/9","key":"k"}'],
  ])('with a line that it cannot read %s, is refused by that line and left as it was', async (_, line, text) => {
    await write([clean, outcomes, outcomes]);
    const lines = (await readFile(path, 'utf8')).split('\n');
    lines[line - 1] = text;
    await writeFile(path, lines.join('\n'));
    const before = await readFile(path);
    await expect(read()).rejects.toThrow(new RegExp(`journal\\.ndjson: line ${line} is no .*Nothing was changed`));
    expect(await readFile(path)).toEqual(before);
  });

  it('leaves no hole where the system takes less than it is given', async () => {
    await write([]);
    const handle = await openFile(path, 'r+');
    const { write: whole } = Object.getPrototypeOf(handle);
    await handle.close();
    const stingy = vi.spyOn(Object.getPrototypeOf(handle), 'write');
    stingy.mockImplementation(function (this: unknown, bytes: unknown, from: unknown, length: unknown, at: unknown) {
      return whole.call(this, bytes, from, Math.ceil((length as number) / 2), at);
    });
    try {
      await write([clean, outcomes]);
      expect(stingy.mock.calls.length).toBeGreaterThan(2);
    } finally {
      stingy.mockRestore();
    }
    expect(await read()).toEqual([clean, outcomes]);
  });

  it('says in one line that the disk is full', async () => {
    const journal = await open(false);
    const handle = await openFile(path, 'r');
    await handle.close();
    const full = vi.spyOn(Object.getPrototypeOf(handle), 'write');
    full.mockRejectedValue(new Error('ENOSPC: no space left on device, write'));
    try {
      const appending = journal.append(clean);
      await expect(appending).rejects.toThrow(/^cannot write \S+journal\.ndjson: no space left on device$/);
      await expect(appending).rejects.toBeInstanceOf(UserError);
    } finally {
      full.mockRestore();
      await journal.close();
    }
  });

  it('cuts off the zeros that a power cut leaves', async () => {
    await write([clean]);
    await truncate(path, (await readFile(path)).length + 100);
    expect(await read()).toEqual([clean]);
  });

  it('refuses to go on with the work of another run, and leaves that be', async () => {
    await write([clean], 'one');
    await expect(read('two')).rejects.toThrow(
      /belongs to another run.*Repeat the command of that run \(gibbon experiment\), choose another.*delete the folder/s,
    );
    expect(await read('one')).toEqual([clean]);
  });

  it('says what differs', async () => {
    const begun = { key: 'one', parts: { 'the seed': 'a', 'the norm': 'b', 'the code of x': 'c' }, command: 'c' };
    const journal = await openJournal(path, { ...begun, resume: false });
    await journal.close();
    const other = { 'the seed': 'b', 'the norm': 'b', 'the code of y': 'd' };
    await expect(openJournal(path, { key: 'two', parts: other, command: 'c', resume: true })).rejects.toThrow(
      /another run: the seed differs from this one's\. /,
    );
  });

  it('names a path that cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const under = join(folder, 'file', 'journal.ndjson');
    await expect(openJournal(under, { key: 'k', command: 'c', resume: false })).rejects.toThrow(
      /cannot .*journal\.ndjson/,
    );
  });
});

describe('the key of a journal', () => {
  const keyOf = (
    given: Parameters<typeof plan>[1] = {},
    attacks: readonly PlannedAttack[] = [planned(fgsm)],
    rest: Partial<Harness> = {},
  ) => journalParts(plan(attacks, given), harness(rest)).then(journalKey);
  const versions = { gibbon: '0.0.0', commit: null, packages: { tf: '1' } };

  it('is the same for the same numbers, whatever the batch', async () => {
    expect(await keyOf({ batch: 3 })).toBe(await keyOf({ batch: 64 }));
  });

  it('differs with all that decides them', async () => {
    const keys = await Promise.all([
      keyOf(),
      keyOf({ seed: 4 }),
      keyOf({ images: 19 }),
      keyOf({ epsilons: [0.1] }),
      keyOf({ norm: 'L2' }),
      keyOf({ restarts: 2 }),
      keyOf({ goal: { kind: 'targeted', target: 1 } }),
      keyOf({ galleryRows: 1 }),
      keyOf({ earlyStop: false }),
      keyOf({ dataset: { ...smallDataset(20), labels: 'predicted' } }),
      keyOf({ dataset: { ...smallDataset(20), input: [5, 4, 1] } }),
      keyOf({ galleryEpsilon: 0.05 }),
      keyOf({ transferEpsilon: 0.05 }),
      keyOf({ transferEpsilon: 0.1 }),
      keyOf({ contenders: [contender(smallClassifier(2))] }),
      keyOf({ contenders: [{ ...contender(), training: 'other' }] }),
      keyOf({ contenders: [{ ...contender(), sha256: 'other weights' }] }),
      keyOf({ dataset: { ...smallDataset(20), name: 'other' } }),
      keyOf({ dataset: { ...smallDataset(20), split: 'train' } }),
      keyOf({ dataset: { ...smallDataset(20), hash: async () => 'beef' } }),
      keyOf({}, [planned(pgd)]),
      keyOf({}, [planned(pgd, { steps: 3 })]),
      keyOf({}, [planned(customAttack({}))]),
      keyOf({}, [planned(customAttack({ step: ({ x }) => ({ x: x.mul(1) }) }))]),
      keyOf({}, [planned(customAttack({ init: (x) => ({ x: x.mul(1) }) }))]),
      keyOf({}, [planned(customAttack({ steps: () => 4 }))]),
      keyOf({}, [together('both', [planned(fgsm), planned(pgd)])]),
      keyOf({}, [together('both', [planned(pgd), planned(fgsm)])]),
      keyOf({}, [together('both', [planned(fgsm), planned(pgd, { steps: 3 })])]),
      keyOf({}, [{ ...planned(fgsm), source: 'one file' }]),
      keyOf({}, [{ ...planned(fgsm), source: 'another' }]),
      keyOf({}, [planned(fgsm)], { backend: 'onnx-cpu' }),
      keyOf({}, [planned(fgsm)], { versions }),
      keyOf({}, [planned(fgsm)], { versions: { ...versions, packages: { tf: '2' } } }),
      keyOf({}, [planned(fgsm)], { versions: { ...versions, commit: 'c0ffee' } }),
      keyOf({}, [planned(fgsm)], { versions: { ...versions, gibbon: '0.0.1' } }),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('an interrupted experiment', () => {
  const attacks = [
    planned(fgsm),
    planned(pgd, { steps: 3 }),
    planned(walk),
    together('both', [planned(fgsm), planned(pgd, { steps: 3 })]),
  ];
  const experiment = plan(attacks, { epsilons: [0, 0.02, 0.05, 0.1], batch: 4, restarts: 2, galleryRows: 2 });
  const timeless = ({ cells, worstCases, distances, traces, perturbations, confusions, gallery, checks }: Run) => ({
    ...{ worstCases, distances, traces, perturbations, confusions, gallery, checks },
    cells: cells.map(({ seconds: _, ...cell }) => cell),
  });

  /** Runs until the journal holds `limit` more lines, then is interrupted. */
  async function attempt(limit: number, batch: number): Promise<Run | undefined> {
    const journal = await open(true);
    const controller = new AbortController();
    let lines = 0;
    const watched = {
      ...journal,
      append: async (record: JournalRecord) => {
        await journal.append(record);
        lines += 1;
        if (lines === limit) controller.abort();
      },
    };
    try {
      return await runExperiment({ ...experiment, batch }, harness({ journal: watched, signal: controller.signal }));
    } catch (error) {
      expect(error).toBeInstanceOf(Interrupted);
      return undefined;
    } finally {
      await journal.close();
    }
  }

  it.each([1, 2, 3])('ends in the same run when it is resumed after every %i lines', async (limit) => {
    const uninterrupted = timeless(await runExperiment(experiment, harness()));
    let attempts = 0;
    let run: Run | undefined;
    while (run === undefined && attempts < 200) {
      // Another batch at every attempt: it must not matter either.
      run = await attempt(limit, 3 + (attempts % 4));
      attempts += 1;
    }
    expect(attempts).toBeGreaterThan(2);
    expect(run === undefined ? undefined : timeless(run)).toEqual(uninterrupted);
  });

  it('states the command that began it, whoever ends it', async () => {
    const first = await open(false, 'k', 'gibbon experiment --seed 3');
    await first.close();
    const journal = await open(true, 'k', 'gibbon experiment --seed 3 --resume');
    const run = await runExperiment(experiment, harness({ journal, command: 'gibbon experiment --seed 3 --resume' }));
    await journal.close();
    expect(run.command).toBe('gibbon experiment --seed 3');
  });

  it('does no finished work again', async () => {
    await attempt(Number.POSITIVE_INFINITY, 4);
    const journal = await open(true);
    const phases: string[] = [];
    let calls = 0;
    const again = await runExperiment(
      experiment,
      harness({
        journal,
        onProgress: ({ phase }) => phases.push(phase),
        prepare: async () => {
          calls += 1;
          return Object.assign(() => Promise.reject(new Error('nothing is left to compute')), {
            release: async () => undefined,
          }) as never;
        },
      }),
    );
    await journal.close();
    expect(phases).toEqual([]);
    expect(calls).toBe(1);
    expect(again.cells).toHaveLength(16);
    // Its speed is that of the attempt that did the work; its memory nobody can know now.
    const spent = (kind: string): JournalRecord[] => journal.records.filter((record) => record.kind === kind);
    const seconds = (kind: string): number => spent(kind).reduce((sum, record) => sum + record.seconds, 0);
    const gradients = again.cells.reduce((sum, cell) => sum + cell.gradients, 0);
    const [speed, ...others] = again.performance ?? [];
    expect([speed?.contender, others]).toEqual(['small-1/standard', []]);
    expect(speed?.forwardPerSecond).toBeCloseTo(20 / seconds('clean'), 6);
    expect(speed?.gradientsPerSecond).toBeCloseTo(gradients / seconds('outcomes'), 6);
    expect(speed).not.toHaveProperty('peakMemory');
  });
});

/**
 * The journal of a run: finished work, a line each, appended as it comes, so that an interrupted run can go on where it
 * stopped and end in the same numbers.
 *
 * Format `gibbon.journal/1`: newline-delimited JSON. The first line is `{ schema, key, started }`, where `key` is a hash of
 * everything the numbers depend on; every other line is a `JournalRecord`. A line counts only if it is whole, line break
 * included: a crash can tear the last one, and `openJournal` cuts it off.
 */
import { open, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { usageError } from '../core/errors.ts';
import { fileError, writeAtomically } from '../core/files.ts';
import { galleryItem, skippedFile } from '../core/run.ts';

export const JOURNAL_SCHEMA = 'gibbon.journal/1';

const count = z.number().int().min(0);
const flag = z.union([z.literal(0), z.literal(1)]);

/** What became of one image at one radius: see `Outcome`. A tuple, since there are many. */
const outcomeRow = z.tuple([
  count.describe('index of the image in the run’s selection'),
  count.describe('index of the radius'),
  flag.describe('robust'),
  flag.describe('robust after rounding to 8 bits'),
  count.describe('unverified claims'),
  count.describe('gradients'),
  count.describe('forwards'),
]);

const owner = { contender: z.string(), seconds: z.number().min(0) };
const attackOwner = { ...owner, attack: z.string() };

const journalRecord = z.discriminatedUnion('kind', [
  /** The clean pass of a contender: label and predicted class of every selected image, in order, and what gave none. */
  z.object({
    ...{ kind: z.literal('clean'), ...owner, labels: z.array(count), predicted: z.array(count) },
    skipped: z.array(skippedFile).optional(),
  }),
  /** Settled pairs of (image, radius). */
  z.object({ kind: z.literal('outcomes'), ...attackOwner, rows: z.array(outcomeRow) }),
  /** The whole gallery of a contender and an attack. */
  z.object({ kind: z.literal('gallery'), ...attackOwner, items: z.array(galleryItem) }),
]);

export type JournalRecord = z.infer<typeof journalRecord>;
export type OutcomeRow = z.infer<typeof outcomeRow>;

export interface Journal {
  /** When the run began, ISO 8601; on resuming, when it first began. */
  readonly started: string;
  /** What earlier attempts finished. */
  readonly records: readonly JournalRecord[];
  append(record: JournalRecord): Promise<void>;
  /** Makes all that was appended survive a power cut, and frees the file. */
  close(): Promise<void>;
}

const header = z.object({ schema: z.literal(JOURNAL_SCHEMA), key: z.string(), started: z.iso.datetime() });

/** A line is on the disk, not only in the system's memory, at most this long after it was written. */
const SYNC_INTERVAL_MS = 2000;

export interface JournalOptions {
  /** Of `journalKey`: the configuration that the finished work must belong to. */
  readonly key: string;
  /** Whether finished work found there is taken up; otherwise the journal starts empty. */
  readonly resume: boolean;
}

/**
 * The journal at `path`.
 *
 * @throws UserError if the work found there belongs to another configuration, or the file cannot be read or written
 */
export async function openJournal(path: string, { key, resume }: JournalOptions): Promise<Journal> {
  const found = resume ? await readJournal(path) : undefined;
  if (found !== undefined && found.key !== key) {
    throw usageError(
      `${path} belongs to another run: its attacks, networks, images or parameters differ from this one's. ` +
        'Repeat the command of that run, or choose another --out',
    );
  }
  const started = found?.started ?? new Date().toISOString();
  try {
    if (found === undefined) {
      const first = `${JSON.stringify({ schema: JOURNAL_SCHEMA, key, started })}\n`;
      await writeAtomically(path, (file) => file.writeFile(first));
    }
    return await appendTo(path, started, found?.records ?? [], found?.bytes);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** A journal that is kept nowhere. */
export const forgetfulJournal = (): Journal => ({
  started: new Date().toISOString(),
  records: [],
  append: async () => undefined,
  close: async () => undefined,
});

interface Found {
  readonly key: string;
  readonly started: string;
  readonly records: readonly JournalRecord[];
  /** Length of the part that is whole. */
  readonly bytes: number;
}

/** The readable part of a journal; `undefined` if there is none, or not even its first line is whole. */
async function readJournal(path: string): Promise<Found | undefined> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
  const lines = wholeLines(content);
  const first = header.safeParse(lines.next().value?.value);
  if (!first.success) return undefined;
  const records: JournalRecord[] = [];
  let bytes = content.indexOf('\n') + 1;
  for (const line of lines) {
    const record = journalRecord.safeParse(line.value);
    if (!record.success) break;
    records.push(record.data);
    bytes = line.end;
  }
  return { ...first.data, records, bytes };
}

/** The lines up to the first that is torn. */
function* wholeLines(content: Buffer): Generator<{ readonly value: unknown; readonly end: number }, undefined> {
  let start = 0;
  for (let end = content.indexOf('\n'); end >= 0; end = content.indexOf('\n', start)) {
    try {
      yield { value: JSON.parse(content.toString('utf8', start, end)) as unknown, end: end + 1 };
    } catch {
      return undefined;
    }
    start = end + 1;
  }
  return undefined;
}

async function appendTo(
  path: string,
  started: string,
  records: readonly JournalRecord[],
  bytes: number | undefined,
): Promise<Journal> {
  const file = await open(path, 'r+');
  let end = bytes ?? (await file.stat()).size;
  await file.truncate(end);
  let synced = performance.now();
  return {
    started,
    records,
    append: async (record) => {
      const line = Buffer.from(`${JSON.stringify(record)}\n`);
      await file.write(line, 0, line.length, end);
      end += line.length;
      if (performance.now() - synced < SYNC_INTERVAL_MS) return;
      await file.sync();
      synced = performance.now();
    },
    close: async () => {
      await file.sync();
      await file.close();
    },
  };
}

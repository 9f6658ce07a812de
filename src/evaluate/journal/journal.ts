/**
 * The journal of a run: finished work, a line each, appended as it comes, so that an interrupted run can go on where it
 * stopped and end in the same numbers.
 *
 * Format `gibbon.journal/2`: newline-delimited JSON. The first line is `{ schema, key, parts, started, command }`, where `key` is a
 * hash of what the numbers depend on and `parts` holds a hash of each of those things by its name; every other line is a
 * `JournalRecord`. A line counts only if it is whole, line break
 * included: a crash can tear the last one, and `openJournal` cuts it off. Whatever else it cannot read it leaves alone.
 */
import { open, readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError, usageError } from '../../core/errors.ts';
import { fileError, writeAtomically } from '../../core/files.ts';
import { soleUse } from '../../core/sole-use.ts';
import type { Parts } from './parts.ts';
import { type JournalRecord, journalRecord } from './record.ts';

const JOURNAL_SCHEMA = 'gibbon.journal/2';

/** An open journal: what earlier attempts finished, and where more is written. */
export interface Journal {
  /** When the run began, ISO 8601; on resuming, when it first began. */
  readonly started: string;
  /** The command line that began the run: those that go on with it make nothing by themselves. */
  readonly command: string;
  /** What earlier attempts finished. */
  readonly records: readonly JournalRecord[];
  append(record: JournalRecord): Promise<void>;
  /** Whether it holds what an attack did, be it from earlier attempts; clean passes are soon made again. */
  holdsResults(): boolean;
  /** Makes all that was appended survive a power cut, and frees the file. */
  close(): Promise<void>;
}

const header = z.object({
  schema: z.literal(JOURNAL_SCHEMA),
  key: z.string(),
  parts: z.record(z.string(), z.string()).optional(),
  started: z.iso.datetime(),
  command: z.string(),
});

/** A line is on the disk, not only in the system's memory, at most this long after it was written. */
const SYNC_INTERVAL_MS = 2000;

export interface JournalOptions {
  /** Of `journalKey`: the configuration that the finished work must belong to. */
  readonly key: string;
  /** Of `journalParts`: lets errors say what differs. */
  readonly parts?: Parts;
  /** The command line at hand: that of the run, if it begins with it. */
  readonly command: string;
  /** Whether finished work found there is taken up; otherwise the journal starts empty. */
  readonly resume: boolean;
}

/**
 * The journal at `path`: a new one, which must not be there yet, or one that is resumed.
 *
 * @throws UserError if another process is at it, the work found there belongs to another configuration, a line of it is none
 *   of this version's, or the file cannot be read or written
 */
export async function openJournal(path: string, options: JournalOptions): Promise<Journal> {
  const leave = await soleUse(path);
  try {
    const journal = await openAlone(path, options);
    return { ...journal, close: () => journal.close().finally(leave) };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function openAlone(path: string, { key, parts, command, resume }: JournalOptions): Promise<Journal> {
  const found = resume ? await readJournal(path) : undefined;
  if (found !== undefined && found.key !== key) {
    throw usageError(
      `${path} belongs to another run: ${differences(found.parts, parts)}. Repeat the command of that run ` +
        `(${found.command}), choose another --out, or delete the folder to start anew`,
    );
  }
  const begun = found ?? { started: new Date().toISOString(), command, records: [], bytes: undefined };
  try {
    if (found === undefined) {
      const first = `${JSON.stringify({ schema: JOURNAL_SCHEMA, key, parts, started: begun.started, command })}\n`;
      if (resume) await writeAtomically(path, (file) => file.writeFile(first));
      else await writeFile(path, first, { flag: 'wx' });
    }
    return await appendTo(path, begun);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw usageError(`${path} is there already: another run has just begun in that folder; choose another --out`);
    }
    throw fileError('write', path, error);
  }
}

/** `the seed, the code of pgd differ`, as far as both sides say what they depend on. */
function differences(found: Parts | undefined, wanted: Parts | undefined): string {
  const differing = Object.keys(found ?? {}).filter((name) => (wanted?.[name] ?? found?.[name]) !== found?.[name]);
  if (differing.length === 0) return "its attacks, networks, images or parameters differ from this one's";
  return `${differing.join(', ')} ${differing.length === 1 ? 'differs' : 'differ'} from this one's`;
}

/** A journal that is kept nowhere. */
export const forgetfulJournal = (command: string): Journal => ({
  started: new Date().toISOString(),
  command,
  records: [],
  append: async () => undefined,
  holdsResults: () => false,
  close: async () => undefined,
});

interface Found {
  readonly key: string;
  readonly parts?: Parts | undefined;
  readonly started: string;
  readonly command: string;
  readonly records: readonly JournalRecord[];
  /** Length of the part that is whole. */
  readonly bytes: number;
}

/**
 * The whole part of a journal; `undefined` if there is none, or not even its first line is whole.
 *
 * @throws UserError naming the first line that is whole and yet none of this version's
 */
async function readJournal(path: string): Promise<Found | undefined> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
  const lines = linesOf(content);
  // A crash tears the end alone: what stands before a whole line was not torn by one.
  const [first, ...rest] = lines.slice(0, 1 + lines.findLastIndex(({ value }) => value !== undefined));
  if (first === undefined) return undefined;
  const read = <T>(schema: z.ZodType<T>, { value }: Line, index: number): T => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    throw new UserError(
      `${path}: line ${index + 1} is no ${index === 0 ? 'header' : 'record'} of ${JOURNAL_SCHEMA}. Nothing was changed; ` +
        'go on with the version of Gibbon that wrote it, or choose another --out',
    );
  };
  const head = read(header, first, 0);
  const records = rest.map((line, i) => read(journalRecord, line, i + 1));
  return { ...head, records, bytes: (rest.at(-1) ?? first).end };
}

interface Line {
  /** What its JSON says; `undefined` if it is none. */
  readonly value: unknown;
  /** Where it ends, its line break included. */
  readonly end: number;
}

/** All lines that have their line break. */
function linesOf(content: Buffer): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (let end = content.indexOf('\n'); end >= 0; end = content.indexOf('\n', start)) {
    lines.push({ value: parsed(content.toString('utf8', start, end)), end: end + 1 });
    start = end + 1;
  }
  return lines;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Begun = Pick<Journal, 'started' | 'command' | 'records'> & { readonly bytes: number | undefined };

async function appendTo(path: string, { started, command, records, bytes }: Begun): Promise<Journal> {
  const file = await open(path, 'r+');
  let end = bytes ?? (await file.stat()).size;
  await file.truncate(end);
  let synced = performance.now();
  let hasResults = records.some(isResult);
  const orSay = (work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) => {
      throw fileError('write', path, error);
    });
  const append = async (record: JournalRecord): Promise<void> => {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    // The system may take less than it is given.
    for (let done = 0; done < line.length; ) {
      done += (await file.write(line, done, line.length - done, end + done)).bytesWritten;
    }
    end += line.length;
    hasResults ||= isResult(record);
    if (performance.now() - synced < SYNC_INTERVAL_MS) return;
    await file.sync();
    synced = performance.now();
  };
  const close = (): Promise<void> => file.sync().finally(() => file.close());
  return {
    ...{ started, command, records },
    append: (record) => orSay(() => append(record)),
    holdsResults: () => hasResults,
    close: () => orSay(close),
  };
}

const isResult = ({ kind }: JournalRecord): boolean => kind !== 'clean';

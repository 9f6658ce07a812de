/** A download into a file that may hold its beginning already (HTTP range requests, RFC 9110 section 14). */
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type Fetch, request } from './secure-request.ts';

/** In bytes; a server need not say how many there are. */
export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
}

export interface FetchOptions {
  readonly onProgress?: (progress: Progress) => void;
  /** Stops the download, which goes on from there next time. */
  readonly signal?: AbortSignal;
  readonly fetch?: Fetch;
}

/** What was begun, beside the part: whether the rest still belongs to it is for the server to say. */
interface Note {
  readonly url: string;
  /** The server's name for this version of the file (RFC 9110 section 13.1.5). */
  readonly validator: string;
}

/**
 * Fetches the rest of a file, or all of it where the server cannot tell that the rest belongs to the beginning.
 *
 * @param part - where it is written; after an error it holds what has come
 * @param isChecked - whether the whole is compared with a checksum afterwards: then a wrong rest would be noticed
 * @throws Error saying why the file is not whole
 */
export async function fetchPart(url: string, part: string, options: FetchOptions, isChecked: boolean): Promise<void> {
  const noteFile = `${part}.json`;
  const known = await sizeOf(part);
  const validator = await validatorFor(url, noteFile);
  const mayGoOn = known > 0 && (isChecked || validator !== undefined);
  let response = await request(url, mayGoOn ? rangeFrom(known, validator) : {}, options);
  const goesOn = response.status === 206 && mayGoOn && startOf(response) === known;
  if (mayGoOn && !goesOn && response.status !== 200) {
    // The part is whole already, or longer than the file is now.
    await response.body?.cancel();
    response = await request(url, {}, options);
  }
  if (!goesOn && response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the server answers ${response.status} ${response.statusText}`.trim());
  }
  // Before the note names another version: a crash in between must not leave the old beginning under the new name.
  if (!goesOn) await rm(part, { force: true });
  await takeNote(url, response, noteFile);
  await write(response, part, goesOn ? known : 0, options.onProgress);
  await rm(noteFile, { force: true });
}

const rangeFrom = (start: number, validator: string | undefined): Record<string, string> => ({
  range: `bytes=${start}-`,
  ...(validator !== undefined && { 'if-range': validator }),
});

async function write(response: Response, part: string, start: number, onProgress?: (progress: Progress) => void) {
  const total = totalOf(response, start);
  const file = await open(part, start > 0 ? 'r+' : 'w');
  let done = start;
  try {
    onProgress?.({ done, total });
    for await (const chunk of response.body ?? []) {
      // One write may take less than it is given.
      for (let taken = 0; taken < chunk.length; ) {
        taken += (await file.write(chunk, taken, chunk.length - taken, done + taken)).bytesWritten;
      }
      done += chunk.length;
      onProgress?.({ done, total });
    }
    await file.sync();
  } catch (error) {
    throw new Error(`it stopped after ${done} of ${total ?? 'unknown'} bytes, which are kept`, {
      cause: error,
    });
  } finally {
    await file.close();
  }
  if (total !== undefined && done !== total) throw new Error(`${done} of ${total} bytes came`);
}

/** `bytes 100-199/200` */
const rangeOf = (response: Response) => /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');

const startOf = (response: Response): number => Number(rangeOf(response)?.[1] ?? Number.NaN);

function totalOf(response: Response, start: number): number | undefined {
  const whole = rangeOf(response)?.[2];
  if (start > 0 && whole !== undefined && whole !== '*') return Number(whole);
  const rest = response.headers.get('content-length');
  // What was packed for the way is longer when it arrives.
  const isPacked = (response.headers.get('content-encoding') ?? 'identity') !== 'identity';
  return rest === null || isPacked ? undefined : start + Number(rest);
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function validatorFor(url: string, noteFile: string): Promise<string | undefined> {
  try {
    const note: Partial<Note> = JSON.parse(await readFile(noteFile, 'utf8'));
    return note.url === url && typeof note.validator === 'string' ? note.validator : undefined;
  } catch {
    return undefined;
  }
}

/** Weak names do not promise the same bytes. */
async function takeNote(url: string, response: Response, noteFile: string): Promise<void> {
  const tag = response.headers.get('etag');
  const validator = tag !== null && !tag.startsWith('W/') ? tag : response.headers.get('last-modified');
  const note = validator === null ? undefined : ({ url, validator } satisfies Note);
  await (note === undefined ? rm(noteFile, { force: true }) : writeFile(noteFile, JSON.stringify(note)));
}

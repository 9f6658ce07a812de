/** How every file of the program is read and written: failures are one clear line, and nothing is left half-written. */
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { messageOf, UserError } from './errors.ts';

/** What the system refused to do with a file: nothing that the program could mend. */
export class FileError extends UserError {}

/** `cannot read x.json: no such file or directory`: what the system said, without its code and system call. */
export function fileError(action: 'read' | 'write', path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const reason = /^E[A-Z0-9]+: (.*?)(?:, \w+(?: '.*)?)?$/s.exec(messageOf(error))?.[1] ?? messageOf(error);
  return new FileError(`cannot ${action} ${path}: ${reason}`);
}

/**
 * Does work that can be gone on with. Where the system refuses a file, the error says so, and how.
 *
 * @param kept - what there is to go on from, in words: `net.safetensors.state holds the training`; undefined if nothing
 * @param flags - to add to the command: `--resume`
 * @throws UserError for whatever the work throws as one
 */
export async function resumable<T>(kept: () => string | undefined, flags: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const left = kept();
    if (left === undefined) throw error;
    throw new UserError(`${error.message}. ${left}: mend the cause, and repeat the command with ${flags}`);
  }
}

/** A path as it is best shown: relative to the working folder where that is shorter. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short !== '' && short.length < path.length ? short : path;
}

/**
 * Writes a file under a temporary name beside its target, then renames it: a reader sees the old file or the whole new one.
 * Missing folders are made.
 *
 * @param write - receives the open temporary file
 * @throws UserError naming the path, if anything fails; the temporary file is gone then
 */
export async function writeAtomically<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    await makeFolder(dirname(path));
    const { file, temporary } = await openBeside(path);
    try {
      const result = await write(file);
      await file.sync();
      await file.close();
      await rename(temporary, path);
      return result;
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw error;
    }
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/**
 * Makes a folder and those above it that are missing. One by one: Node's recursive `mkdir` never returns below a folder like
 * /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const above = dirname(folder);
  if (above !== folder) await makeFolder(above);
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // Unless another process was faster. The system's word for it, "file already exists", speaks of the folder.
    if (!(await isFolder(folder))) throw new Error(`${folder} is a file, not a folder`);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

let named = 0;

/** A name beside a file that no other process gives, nor this one twice. */
export function nameBeside(path: string): string {
  named += 1;
  return `${path}.${process.pid}-${named}.tmp`;
}

/** A new file beside `path`, under a name that no other process has, nor one of the same number that crashed before. */
async function openBeside(path: string): Promise<{ readonly file: FileHandle; readonly temporary: string }> {
  for (;;) {
    const temporary = nameBeside(path);
    try {
      return { file: await open(temporary, 'wx'), temporary };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A file that is read by position: what a reader does not ask for never enters memory. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';

export interface ByteSource {
  /** For errors. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Exactly `length` bytes, in a buffer of their own, which is aligned whatever their position.
   *
   * @throws UserError if the file ends before
   */
  read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** The most that is read or written at once: the system's own limit is 2 GiB. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Opens a file for as long as `use` takes.
 *
 * @throws UserError naming the file, if it is missing, cannot be read, or does not fit into memory
 */
export async function withFile<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  try {
    const { size } = await requireFile(path);
    const file = await open(path, 'r');
    try {
      return await use({ path, size, read: (position, length) => readExactly(file, size, position, length, path) });
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`cannot read ${path}: it does not fit into memory`);
    throw fileError('read', path, error);
  }
}

/** A whole file. @throws UserError as `withFile`, and for a file of more than `most` bytes */
export const readWhole = (path: string, most = Number.POSITIVE_INFINITY): Promise<Uint8Array<ArrayBuffer>> =>
  withFile(path, ({ size, read }) => {
    if (size > most) throw new UserError(`cannot read ${path}: it has ${size} bytes, and ${most} are allowed`);
    return read(0, size);
  });

/** A part of a source, as a source of its own. It must lie inside. */
export const partOf = ({ path, read }: ByteSource, begin: number, size: number): ByteSource => ({
  path,
  size,
  read: async (position, length) => {
    if (position + length > size) throw cutShort(path, position + length, size);
    return read(begin + position, length);
  },
});

/** Bytes that are in memory already. */
export const inMemory = (path: string, bytes: Uint8Array<ArrayBuffer>): ByteSource => ({
  path,
  size: bytes.length,
  read: async (position, length) => {
    if (position + length > bytes.length) throw cutShort(path, position + length, bytes.length);
    return bytes.slice(position, position + length);
  },
});

/** Opening a pipe would wait forever, so the kind of file is looked at first. */
async function requireFile(path: string) {
  const status = await stat(path);
  if (status.isDirectory()) throw new UserError(`cannot read ${path}: it is a folder, not a file`);
  if (!status.isFile()) throw new UserError(`cannot read ${path}: it is not a file`);
  return status;
}

async function readExactly(
  file: FileHandle,
  size: number,
  position: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (position + length > size) throw cutShort(path, position + length, size);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK_BYTES, length - done), position + done);
    if (bytesRead === 0) throw new UserError(`cannot read ${path}: it became shorter while it was read`);
    done += bytesRead;
  }
  return bytes;
}

const cutShort = (path: string, needed: number, size: number): UserError =>
  new UserError(`${path} is cut short: byte ${needed} is needed, and there are ${size}. Copy or download it again`);

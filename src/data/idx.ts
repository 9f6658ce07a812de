/**
 * Idx files (http://yann.lecun.com/exdb/mnist/): a magic number, big-endian sizes, then bytes. They are read record by
 * record, never whole.
 */
import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';

/** The third byte of the magic number: unsigned bytes. The fourth is the number of dimensions. */
const UNSIGNED_BYTE = 0x08;

/** An open idx file of unsigned bytes whose records are its slices along the first dimension. */
export interface IdxFile {
  readonly path: string;
  /** The sizes of all dimensions, the number of records first. */
  readonly shape: readonly number[];
  /** Copies the record of that index into `out`, at `offset`. */
  read(record: number, out: Uint8Array, offset: number): void;
  close(): Promise<void>;
}

/**
 * Opens an idx file and checks that its header and its size agree.
 *
 * @param dimensions - how many it must have: 3 for images, 1 for labels
 * @throws UserError naming the file, if it is missing or is not such a file
 */
export async function openIdx(path: string, dimensions: number): Promise<IdxFile> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await checked(file, path, dimensions);
  } catch (error) {
    await file?.close();
    throw fileError('read', path, error);
  }
}

async function checked(file: FileHandle, path: string, dimensions: number): Promise<IdxFile> {
  const start = 4 + 4 * dimensions;
  const header = new DataView(new ArrayBuffer(start));
  const { bytesRead } = await file.read(header, 0, start, 0);
  const magic = (UNSIGNED_BYTE << 8) | dimensions;
  if (bytesRead < start || header.getUint32(0) !== magic) {
    throw new UserError(`${path} is not an idx file of bytes with ${dimensions} dimensions: it starts otherwise`);
  }
  const shape = Array.from({ length: dimensions }, (_, i) => header.getUint32(4 + 4 * i));
  const recordBytes = shape.slice(1).reduce((a, b) => a * b, 1);
  const expected = start + (shape[0] as number) * recordBytes;
  const { size } = await file.stat();
  if (size !== expected) {
    throw new UserError(`${path} is damaged: its header promises ${expected} bytes and it has ${size}`);
  }
  const { fd } = file;
  return {
    path,
    shape,
    // Synchronous: the system has the file in its cache, and a trip through the thread pool costs ten times the read.
    read: (record, out, offset) => {
      const count = readRecord(path, () => readSync(fd, out, offset, recordBytes, start + record * recordBytes));
      if (count < recordBytes) throw new UserError(`${path} became shorter while it was read`);
    },
    close: () => file.close(),
  };
}

function readRecord(path: string, read: () => number): number {
  try {
    return read();
  } catch (error) {
    throw fileError('read', path, error);
  }
}

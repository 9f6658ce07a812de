/**
 * Idx files (http://yann.lecun.com/exdb/mnist/): a magic number, big-endian sizes, then bytes. They are read record by
 * record, never whole, but where they are packed with gzip.
 */
import { readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../core/errors.ts';
import { fileError } from '../core/files.ts';
import { isGzip, readGzip } from './gzip.ts';

/** The third byte of the magic number: unsigned bytes. The fourth is the number of dimensions. */
const UNSIGNED_BYTE = 0x08;

/** What a packed file may hold, 64 MiB: the training images of MNIST take 45. */
const UNPACKED_LIMIT = 2 ** 26;

/** An open idx file of unsigned bytes whose records are its slices along the first dimension. */
export interface IdxFile {
  /** The sizes of all dimensions, the number of records first. */
  readonly shape: readonly number[];
  /** Copies the record of that index into `out`, at `offset`. */
  read(record: number, out: Uint8Array, offset: number): void;
  close(): Promise<void>;
}

/** Bytes at a position, from a file or from memory. */
interface Source {
  readonly size: number;
  /** Copies up to `length` bytes into `out` and says how many there were. */
  read(out: Uint8Array, offset: number, length: number, position: number): number;
  close(): Promise<void>;
}

/**
 * Opens an idx file, packed with gzip or not, and checks that its header and its size agree.
 *
 * @param dimensions - how many it must have: 3 for images, 1 for labels
 * @throws UserError naming the file, if it is missing or is not such a file
 */
export async function openIdx(path: string, dimensions: number): Promise<IdxFile> {
  let source: Source | undefined;
  try {
    source = (await isGzip(path)) ? memorySource(await readGzip(path, UNPACKED_LIMIT)) : await fileSource(path);
    return checked(source, path, dimensions);
  } catch (error) {
    await source?.close();
    throw fileError('read', path, error);
  }
}

async function fileSource(path: string): Promise<Source> {
  const file: FileHandle = await open(path, 'r');
  const { size } = await file.stat();
  return {
    size,
    // Synchronous: the system has the file in its cache, and a trip through the thread pool costs ten times the read.
    read: (out, offset, length, position) => readSync(file.fd, out, offset, length, position),
    close: () => file.close(),
  };
}

const memorySource = (content: Buffer): Source => ({
  size: content.length,
  read: (out, offset, length, position) => content.copy(out, offset, position, position + length),
  close: async () => undefined,
});

function checked(source: Source, path: string, dimensions: number): IdxFile {
  const start = 4 + 4 * dimensions;
  const header = new DataView(new ArrayBuffer(start));
  const bytesRead = source.read(new Uint8Array(header.buffer), 0, start, 0);
  const magic = (UNSIGNED_BYTE << 8) | dimensions;
  if (bytesRead < start || header.getUint32(0) !== magic) {
    throw new UserError(`${path} is not an idx file of bytes with ${dimensions} dimensions: it starts otherwise`);
  }
  const shape = Array.from({ length: dimensions }, (_, i) => header.getUint32(4 + 4 * i));
  const recordBytes = shape.slice(1).reduce((a, b) => a * b, 1);
  const expected = start + (shape[0] as number) * recordBytes;
  if (source.size !== expected) {
    throw new UserError(`${path} is damaged: its header promises ${expected} bytes and it has ${source.size}`);
  }
  return {
    shape,
    read: (record, out, offset) => {
      const count = readRecord(path, () => source.read(out, offset, recordBytes, start + record * recordBytes));
      if (count < recordBytes) throw new UserError(`${path} became shorter while it was read`);
    },
    close: source.close,
  };
}

function readRecord(path: string, read: () => number): number {
  try {
    return read();
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/**
 * Safetensors files (https://github.com/huggingface/safetensors): eight bytes with the header's length, the header, the
 * raw little-endian values. Nothing in such a file can run, and nothing in it is believed before it is checked.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { UserError } from '../core/errors.ts';
import { fileError, writeAtomically } from '../core/files.ts';
import { ELEMENT_BYTES, type Entry, METADATA_KEY, notSafetensors, parseHeader } from './safetensors-header.ts';

interface Stored<D extends keyof typeof ELEMENT_BYTES, A> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: A;
}

/** A tensor as it lies in the file. A BOOL is a byte, 0 or 1. */
export type StoredTensor =
  | Stored<'F32', Float32Array<ArrayBuffer>>
  | Stored<'I32', Int32Array<ArrayBuffer>>
  | Stored<'I64', BigInt64Array<ArrayBuffer>>
  | Stored<'U8' | 'BOOL', Uint8Array<ArrayBuffer>>;

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the whole file, in hex. */
  readonly sha256: string;
}

/** Far more than any network needs: its header takes some hundred bytes a tensor. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;
/** The most that is read or written at once: the system's own limit is 2 GiB. */
const CHUNK_BYTES = 64 * 2 ** 20;

/**
 * Reads a whole file. What it allocates is never more than the file's real size.
 *
 * @throws UserError naming the file, if it is missing, damaged, cut short, or holds a type other than those of
 *   `StoredTensor`
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  try {
    const { size } = await requireFile(path);
    const file = await open(path, 'r');
    try {
      return await readFrom(file, size, path);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`cannot read ${path}: it does not fit into memory`);
    throw fileError('read', path, error);
  }
}

/** Opening a pipe would wait forever, so the kind of file is looked at first. */
async function requireFile(path: string) {
  const status = await stat(path);
  if (!status.isFile()) throw new UserError(`cannot read ${path}: it is not a file`);
  return status;
}

async function readFrom(file: FileHandle, size: number, path: string): Promise<Safetensors> {
  const hash = createHash('sha256');
  const read = async (position: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await readExactly(file, position, length, path);
    hash.update(bytes);
    return bytes;
  };
  if (size < 8) throw notSafetensors(path, `it has ${size} bytes, and the length of the header alone takes 8`);
  const headerBytes = new DataView((await read(0, 8)).buffer).getBigUint64(0, true);
  if (headerBytes > BigInt(size - 8)) {
    throw notSafetensors(path, `its header would take ${headerBytes} bytes, and the file has ${size - 8} more`);
  }
  if (headerBytes > MAX_HEADER_BYTES) {
    throw notSafetensors(path, `its header would take ${headerBytes} bytes, and ${MAX_HEADER_BYTES} are allowed`);
  }
  const dataStart = 8 + Number(headerBytes);
  const text = decodeUtf8(await read(8, Number(headerBytes)), path);
  const { entries, metadata } = parseHeader(text, size - dataStart, path);
  const tensors = new Map<string, StoredTensor>();
  // In the order of the file and without gaps: so each byte passes the hash once.
  for (const entry of entries) {
    const bytes = await read(dataStart + entry.begin, entry.end - entry.begin);
    tensors.set(entry.name, toTensor(entry, bytes.buffer));
  }
  return { tensors, metadata, sha256: hash.digest('hex') };
}

/** Into a buffer of its own, which is aligned whatever the position in the file. */
async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK_BYTES, length - done), position + done);
    if (bytesRead === 0) throw notSafetensors(path, 'it became shorter while it was read');
    done += bytesRead;
  }
  return bytes;
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notSafetensors(path, 'its header is not UTF-8');
  }
}

function toTensor({ dtype, shape }: Entry, buffer: ArrayBuffer): StoredTensor {
  switch (dtype) {
    case 'F32':
      return { dtype, shape, data: new Float32Array(buffer) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(buffer) };
    case 'I64':
      return { dtype, shape, data: new BigInt64Array(buffer) };
    case 'U8':
    case 'BOOL':
      return { dtype, shape, data: new Uint8Array(buffer) };
  }
}

/**
 * Writes a file, atomically: tensors of wider types first, so that all are aligned, otherwise in the order of the map. The
 * same content gives the same bytes.
 *
 * @returns the SHA-256 of the file, in hex
 * @throws UserError if it cannot be written; RangeError if a tensor's values do not fill its shape
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<string> {
  const ordered = [...tensors].sort(([, a], [, b]) => ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype]);
  const head = headOf(ordered, metadata);
  return writeAtomically(path, async (file) => {
    const hash = createHash('sha256');
    const write = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, Math.min(CHUNK_BYTES, bytes.length - done))).bytesWritten;
      }
    };
    await write(head);
    for (const [, { data }] of ordered) await write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return hash.digest('hex');
  });
}

/** The header with its length before it, padded with spaces so that the data starts on a multiple of eight. */
function headOf(
  tensors: readonly (readonly [string, StoredTensor])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0;
  const entries = tensors.map(([name, { dtype, shape, data }]) => {
    if (name === METADATA_KEY) throw new RangeError(`no tensor may be called ${METADATA_KEY}`);
    if (shape.reduce((product, size) => product * size, 1) !== data.length) {
      throw new RangeError(`${name}: ${data.length} values do not fill the shape [${shape.join(', ')}]`);
    }
    const begin = offset;
    offset += data.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const;
  });
  const head = Object.keys(metadata).length === 0 ? [] : [[METADATA_KEY, metadata] as const];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...head, ...entries])));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  return bytes;
}

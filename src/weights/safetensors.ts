/**
 * Safetensors files (https://github.com/huggingface/safetensors): eight bytes with the header's length, the header, the
 * raw little-endian values. Nothing in such a file can run, and nothing in it is believed before it is checked.
 */
import { createHash } from 'node:crypto';
import { writeAtomically } from '../core/files.ts';
import { type ByteSource, CHUNK_BYTES, withFile } from './byte-source.ts';
import { type Header, METADATA_KEY, notSafetensors, parseHeader } from './safetensors-header.ts';
import { ELEMENT_BYTES, type StoredTensor, storedTensor } from './stored-tensor.ts';

export type { StoredTensor } from './stored-tensor.ts';

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the whole file, in hex. */
  readonly sha256: string;
}

/** Far more than any network needs: its header takes some hundred bytes a tensor. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;

/**
 * Reads a whole file. What it allocates is never more than the file's real size.
 *
 * @throws UserError naming the file, if it is missing, damaged, cut short, or holds a type other than those of
 *   `StoredTensor`
 */
export const readSafetensors = (path: string): Promise<Safetensors> => withFile(path, readSafetensorsFrom);

/** Likewise, of a file that is open. */
export async function readSafetensorsFrom(source: ByteSource): Promise<Safetensors> {
  const hash = createHash('sha256');
  const read = async (position: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = await source.read(position, length);
    hash.update(bytes);
    return bytes;
  };
  const { entries, metadata, dataStart } = await readLayout({ ...source, read });
  const tensors = new Map<string, StoredTensor>();
  // In the order of the file and without gaps: so each byte passes the hash once.
  for (const entry of entries) {
    const bytes = await read(dataStart + entry.begin, entry.end - entry.begin);
    tensors.set(entry.name, storedTensor(entry.dtype, entry.shape, bytes));
  }
  return { tensors, metadata, sha256: hash.digest('hex') };
}

export interface Layout extends Header {
  /** Where the values begin, from which entries count. */
  readonly dataStart: number;
}

/** What a file holds and where, for those who read it in parts. Errors as `readSafetensors`. */
export async function readLayout({ path, size, read }: ByteSource): Promise<Layout> {
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
  return { ...parseHeader(text, size - dataStart, path), dataStart };
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw notSafetensors(path, 'its header is not UTF-8');
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
  for (const [name, { shape, data }] of ordered) {
    if (elementsOf(shape) === data.length) continue;
    throw new RangeError(`${name}: ${data.length} values do not fill the shape [${shape.join(', ')}]`);
  }
  return streamSafetensors(path, ordered, metadata, async function* () {
    for (const [, { data }] of ordered) yield bytesOf(data);
  });
}

/** The type and shape of a tensor whose values come later. */
export type Announced = Pick<StoredTensor, 'dtype' | 'shape'>;

/**
 * Writes a file whose values need never be in memory at once, atomically.
 *
 * @param tensors - in the order of the file, wider types first, so that all are aligned
 * @param values - their bytes, one tensor after the other, in parts of any size
 * @returns the SHA-256 of the file, in hex
 * @throws UserError if it cannot be written; RangeError if the values are too few or too many
 */
export async function streamSafetensors(
  path: string,
  tensors: readonly (readonly [name: string, Announced])[],
  metadata: Readonly<Record<string, string>>,
  values: () => AsyncIterable<Uint8Array>,
): Promise<string> {
  const { head, dataBytes } = headOf(tensors, metadata);
  return writeAtomically(path, async (file) => {
    const hash = createHash('sha256');
    let written = 0;
    const write = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, Math.min(CHUNK_BYTES, bytes.length - done))).bytesWritten;
      }
    };
    await write(head);
    for await (const bytes of values()) {
      await write(bytes);
      written += bytes.length;
    }
    if (written !== dataBytes) throw new RangeError(`${written} bytes do not fill tensors of ${dataBytes}`);
    return hash.digest('hex');
  });
}

/** The memory of an array, as it lies. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength);

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The header with its length before it, padded with spaces so that the data starts on a multiple of eight. */
function headOf(
  tensors: readonly (readonly [string, Announced])[],
  metadata: Readonly<Record<string, string>>,
): { readonly head: Uint8Array; readonly dataBytes: number } {
  let offset = 0;
  const entries = tensors.map(([name, { dtype, shape }]) => {
    if (name === METADATA_KEY) throw new RangeError(`no tensor may be called ${METADATA_KEY}`);
    const begin = offset;
    offset += elementsOf(shape) * ELEMENT_BYTES[dtype];
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const;
  });
  const own = Object.keys(metadata).length === 0 ? [] : [[METADATA_KEY, metadata] as const];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...own, ...entries])));
  const padded = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(json, 8);
  return { head, dataBytes: offset };
}

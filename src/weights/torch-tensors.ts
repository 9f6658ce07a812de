/** Tensors of a PyTorch file, read: the elements that offset, shape and strides pick from a storage, in row-major order. */
import type { Allowance } from './allowance.ts';
import { quoted, type Refuse } from './refusal.ts';
import { type StoredTensor, type StoredType, storedTensor } from './stored-tensor.ts';
import type { DataType } from './torch-types.ts';
import type { Storage, Tensor } from './torch-values.ts';

/** How a container's storages are read. */
export interface StorageReader {
  /** The bytes of the whole storage, in a buffer that nobody else has. */
  readonly read: (storage: Storage) => Promise<Uint8Array<ArrayBuffer>>;
  readonly bigEndian: boolean;
  readonly allowance: Allowance;
  readonly refuse: Refuse;
}

/**
 * Reads tensors by name. Each storage is read once; tensors whose values lie in it in order share its memory.
 *
 * @throws UserError naming the tensor that reaches outside its storage or has a type that `StoredTensor` has not
 */
export async function readTensors(
  tensors: ReadonlyMap<string, Tensor>,
  reader: StorageReader,
): Promise<ReadonlyMap<string, StoredTensor>> {
  const storages = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const refuse = (why: string) => reader.refuse(`tensor ${quoted(name)} ${why}`);
    const dtype = requireStored(tensor.dtype, refuse);
    checkBounds(tensor, refuse);
    if (reader.bigEndian && tensor.dtype.bytes !== tensor.storage.dtype.bytes) {
      throw refuse('is big-endian and of another type than its storage');
    }
    const { key } = tensor.storage;
    const bytes = storages.get(key) ?? (await readStorage(tensor.storage, reader));
    storages.set(key, bytes);
    read.set(name, storedTensor(dtype, tensor.shape, elementsOf(tensor, bytes, reader.allowance)));
  }
  return read;
}

function requireStored({ name, stored }: DataType, refuse: Refuse): StoredType {
  if (stored === undefined) throw refuse(`has the type ${name}, which no weights of a classifier have`);
  return stored;
}

/** Sizes and strides may be anything up to 2⁵³: beyond, sums and products are inexact, but then far outside any storage. */
function checkBounds({ storage, dtype, offset, shape, strides }: Tensor, refuse: Refuse): void {
  const bytes = storage.length * storage.dtype.bytes;
  const last = shape.reduce((index, size, axis) => index + (size - 1) * (strides[axis] as number), offset);
  if (!shape.includes(0) && (last + 1) * dtype.bytes > bytes) {
    throw refuse(`reaches to byte ${(last + 1) * dtype.bytes} of a storage that has ${bytes}`);
  }
  if (storage.begin + storage.length > storage.total) throw refuse('lies in a part that is outside its storage');
  if ((storage.begin * storage.dtype.bytes) % dtype.bytes !== 0) throw refuse('begins in the middle of an element');
}

async function readStorage(storage: Storage, { read, bigEndian, allowance }: StorageReader) {
  const { bytes: width } = storage.dtype;
  allowance(storage.total * width);
  const bytes = await read(storage);
  if (bigEndian && width > 1) swap(bytes, width);
  return bytes;
}

/** In place: the memory of a large storage is not doubled. */
function swap(bytes: Uint8Array<ArrayBuffer>, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  if (width === 4) buffer.swap32();
  if (width === 8) buffer.swap64();
}

function elementsOf(tensor: Tensor, storage: Uint8Array<ArrayBuffer>, allowance: Allowance): Uint8Array<ArrayBuffer> {
  const width = tensor.dtype.bytes;
  if (tensor.shape.includes(0)) return new Uint8Array();
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  const begin = tensor.storage.begin * tensor.storage.dtype.bytes + tensor.offset * width;
  if (isInOrder(tensor)) return storage.subarray(begin, begin + count * width);
  allowance(count * width);
  const result = new Uint8Array(count * width);
  gather(tensor, lanes(storage, begin, width), lanes(result, 0, width));
  return result;
}

/** Whether the elements lie one after the other. The stride along an axis of one element is never used. */
function isInOrder({ shape, strides }: Tensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

type Lanes = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

/** Bytes as whole elements, so that each is copied at once and no bit of it is interpreted. */
function lanes({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>, begin: number, width: number): Lanes {
  const length = Math.floor((byteLength - begin) / width);
  if (width === 8) return new BigUint64Array(buffer, byteOffset + begin, length);
  if (width === 4) return new Uint32Array(buffer, byteOffset + begin, length);
  if (width === 2) return new Uint16Array(buffer, byteOffset + begin, length);
  return new Uint8Array(buffer, byteOffset + begin, length);
}

/** Counts through the indices like an odometer: the last axis runs, the others step. */
function gather({ shape, strides }: Tensor, from: Lanes, to: Lanes): void {
  const inner = shape.at(-1) as number;
  const stride = strides.at(-1) as number;
  const index = shape.map(() => 0);
  for (let done = 0, start = 0; done < to.length; done += inner) {
    for (let i = 0; i < inner; i++) to[done + i] = from[start + i * stride] as never;
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      const next = ((index[axis] as number) + 1) % (shape[axis] as number);
      start += (next - (index[axis] as number)) * (strides[axis] as number);
      index[axis] = next;
      if (next !== 0) break;
    }
  }
}
